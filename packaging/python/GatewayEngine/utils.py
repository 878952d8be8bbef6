"""The gateway's own identity and files."""

import os
import subprocess

_PLACES = ("/usr/local/bin", "/usr/bin")


class GatewayEngineError(Exception):
    """`gwe` is missing, or failed; the message says which."""


def gwe_cik():
    """The gateway's CIK as text; empty when it is not activated. Raises GatewayEngineError."""
    cik = _gwe("--gateway-cik")
    return "" if cik == "''" else cik


def gwe_conf():
    """Path of the gateway's configuration file, Gateway.cfg."""
    return os.path.join(_configuration_folder(), "Gateway.cfg")


def engine_conf():
    """Path of the engine's configuration file, Engine.config."""
    return os.path.join(_configuration_folder(), "Engine.config")


def gwe_version():
    """The engine's version as text. Raises GatewayEngineError."""
    return _gwe("--version")


def _configuration_folder():
    home = os.environ.get("GWE_HOME")
    return os.path.join(home, "etc") if home else "/etc/gateway-engine"


def _gwe(option):
    # Services and cron jobs often run with a PATH that lacks /usr/local/bin.
    environment = dict(os.environ)
    environment["PATH"] = os.pathsep.join([environment.get("PATH", "")] + list(_PLACES)).strip(os.pathsep)
    try:
        process = subprocess.Popen(
            ["/usr/bin/env", "gwe", option], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
    except OSError as error:
        raise GatewayEngineError("gwe could not be run: {0}".format(error))
    out, err = process.communicate()
    if process.returncode != 0:
        reason = err.decode("utf-8", "replace").strip() or "exit status {0}".format(process.returncode)
        raise GatewayEngineError("gwe {0} failed: {1}".format(option, reason))
    return str(out.decode("utf-8").strip())
