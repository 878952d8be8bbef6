"""A device with a file of its own, in which its names and its CIK are kept."""

import logging
import os
import time

from exo.api import ExositeAPI
from exo.device_file import read_device_file, write_option
from exo.handlers import Http_ReadWriteCodes, is_cik

_DEFAULT_RETRY_SECONDS = 300.0
_GATEWAYS_OWN_FILE = "Gateway.cfg"

LOG = logging.getLogger("exo.device")


class Device(ExositeAPI):
    """An ExositeAPI whose names, server and CIK come from `cfg_file` (see exo.device_file), and which keeps a new CIK there.

    user_agent: names the application to the server.
    Raises IOError or OSError when the file cannot be read, ValueError for a server that is none.
    """

    def __init__(self, user_agent, cfg_file, timeout=15.0):
        options = read_device_file(cfg_file)
        self._cfg_file = cfg_file
        self._retry_seconds = float(options.get("activation_retry_interval") or _DEFAULT_RETRY_SECONDS)
        self._last_try = None
        ExositeAPI.__init__(
            self,
            cik=options.get("cik"),
            vendor=options.get("vendor"),
            model=options.get("model"),
            uuid=options.get("uuid"),
            url=options.get("server_url") or options.get("url"),
            timeout=timeout,
            user_agent=user_agent,
            ca_file=options.get("ca_file"),
            cert_file=options.get("cert_file"),
            key_file=options.get("key_file"),
        )

    def activate(self):
        """Activates at most once in `activation_retry_interval` seconds. Returns whether the device is activated.

        Called in a loop it waits up to a second between attempts, so that the loop does not spin.
        With the gateway's own file (GatewayEngine.utils.gwe_conf) it waits for the engine, which activates the gateway."""
        if self.activated() or self._take_cik_of_file():
            return True
        if os.path.basename(self._cfg_file) == _GATEWAYS_OWN_FILE:
            time.sleep(1.0)
            return self._take_cik_of_file()
        now = time.time()
        if self._last_try is not None and 0 <= now - self._last_try < self._retry_seconds:
            time.sleep(min(1.0, self._retry_seconds - (now - self._last_try)))
            return False
        self._last_try = now
        answer = self.http_activate()
        if not self.activated():
            LOG.warning("activation of %s failed: %s", self.uuid(), answer)
        return self.activated()

    def http_activate(self):
        """As ExositeAPI's; the new CIK is in the file when this returns. Raises IOError or OSError when it can't be written."""
        answer = ExositeAPI.http_activate(self)
        if answer.cik is not None:
            write_option(self._cfg_file, "cik", answer.cik)
        return answer

    _activate = activate

    def _request(self, *args, **kwargs):
        answer = ExositeAPI._request(self, *args, **kwargs)
        # The gateway engine may have renewed the CIK of the file that this device shares with it.
        if answer.code == Http_ReadWriteCodes.Unauthorized and self._take_cik_of_file():
            answer = ExositeAPI._request(self, *args, **kwargs)
        return answer

    def _take_cik_of_file(self):
        cik = read_device_file(self._cfg_file).get("cik") or ""
        if not is_cik(cik) or cik == self._cik:
            return False
        self._cik = cik
        self._activated = True
        return True
