"""The Exosite HTTP Device API: one object for one device, known by its CIK or by vendor, model and serial number."""

import sys

from exo.connection import NETWORK_ERRORS, Connection, parse_server
from exo.handlers import (
    ActivationHandler,
    Http_ReadWriteCodes,
    LongPollHandler,
    ReadHandler,
    ReadWriteHandler,
    ResponseHandler,
    WriteHandler,
    is_cik,
)

try:
    from urllib.parse import quote
except ImportError:  # Python 2
    from urllib import quote

_FORM = "application/x-www-form-urlencoded; charset=utf-8"
_STACK = "/onep:v1/stack/alias"
# How much longer than the server's own time-out a long poll is waited for.
_LONG_POLL_GRACE_SECONDS = 15.0

if sys.version_info[0] >= 3:
    unicode = str


class ExositeAPI(object):
    """Calls return a handler (see exo.handlers), whatever the network does.

    cik: 40 letters and digits; left out: activate() obtains one.
    vendor, model, uuid: the device's names; model is the vendor where it is left out, as on Murano.
    url: `[http[s]://]host[:port]`; left out: <vendor>.m2.exosite.com, or m2.exosite.com without a vendor. The gateway's
        message queue is `localhost:8090`.
    timeout: seconds to wait for a connection, and for each part of an answer.
    ca_file, cert_file, key_file: paths of PEM files: authorities to trust in place of the system's; a client
        certificate that stands in for the CIK.
    Raises ValueError for a url that names no server.
    """

    def __init__(
        self,
        cik=None,
        vendor=None,
        model=None,
        uuid=None,
        url=None,
        timeout=15.0,
        user_agent="exo-python",
        use_ssl=True,
        ca_file=None,
        cert_file=None,
        key_file=None,
    ):
        self._cik = _text(cik).strip() if cik else ""
        self._vendor = vendor or ""
        self._model = model or self._vendor
        self._uuid = uuid or ""
        self._timeout = timeout
        self._user_agent = user_agent
        self._has_certificate = bool(cert_file)
        self._activated = self._has_certificate or is_cik(self._cik)
        self._online = True
        if not url:
            url = (self._vendor + "." if self._vendor else "") + "m2.exosite.com"
        self._connection = Connection(parse_server(url, use_ssl), ca_file or None, cert_file or None, key_file or None)

    # ---- who this is

    def cik(self):
        return self._cik

    def vendor(self):
        return self._vendor

    def model(self):
        return self._model

    def uuid(self):
        return self._uuid

    def activated(self):
        """Whether there is a CIK that was not refused yet."""
        return self._activated

    def online(self):
        """Whether the last request was answered."""
        return self._online

    # ---- data

    def http_read(self, read_list):
        """Newest values of the aliases in `read_list` (one alias alone may be a text). ReadHandler."""
        return self._request(ReadHandler, "GET", _STACK + "?" + _aliases(read_list), accept=_FORM)

    def http_write(self, dataport, value):
        """Writes one value; the server gives the time. WriteHandler."""
        return self.http_write_multiple({dataport: value})

    def http_write_multiple(self, write_dict):
        """Writes several values, all at one time: the server's. WriteHandler."""
        return self._request(WriteHandler, "POST", _STACK, body=_form(write_dict.items()))

    def http_readwrite(self, read_list, write_dict):
        """Writes, then reads, in one round trip. ReadWriteHandler."""
        path = _STACK + "?" + _aliases(read_list)
        return self._request(ReadWriteHandler, "POST", path, body=_form(write_dict.items()), accept=_FORM)

    def http_record(self, dataport, records):
        """Writes history: `records` is a dict or list of pairs of unix seconds and value. WriteHandler."""
        pairs = records.items() if hasattr(records, "items") else records
        path = _STACK + "/" + quote(_bytes(dataport), safe="")
        return self._request(WriteHandler, "POST", path, body=_form(pairs))

    def http_long_poll(self, dataport, timeout_ms, modify_ts=None):
        """Waits up to `timeout_ms` (at most 300000) for a value newer than `modify_ts`: unix seconds, or the
        `last_modified` of the poll before; default: now. LongPollHandler."""
        timeout_ms = int(float(timeout_ms))
        headers = {"Request-Timeout": str(timeout_ms)}
        if modify_ts is not None:
            headers["If-Modified-Since"] = str(int(modify_ts)) if isinstance(modify_ts, float) else str(modify_ts)
        return self._request(
            LongPollHandler,
            "GET",
            _STACK + "?" + _aliases(dataport),
            accept=_FORM,
            headers=headers,
            timeout=timeout_ms / 1000.0 + _LONG_POLL_GRACE_SECONDS,
        )

    # ---- provisioning

    def http_activate(self):
        """Asks for the CIK of vendor, model and serial number, and uses it from then on. ActivationHandler."""
        body = _form([("vendor", self._vendor), ("model", self._model), ("sn", self._uuid)])
        answer = self._request(ActivationHandler, "POST", "/provision/activate", body=body, authorised=False)
        if answer.cik is not None:
            self._cik = answer.cik
            self._activated = True
        return answer

    def http_list_content(self):
        """Content ids, one a line in `body`. ResponseHandler."""
        return self._content()

    def http_content_info(self, content_id):
        """`<content-type>,<bytes>,<updated>,<meta>` in `body`. ResponseHandler."""
        return self._content(("id", content_id), ("info", "true"))

    def http_get_content(self, content_id):
        """The content's bytes in `content`, 64 MiB at most. ResponseHandler."""
        return self._content(("id", content_id))

    def http_timestamp(self):
        """The server's unix seconds in `body`. ResponseHandler."""
        return self._request(ResponseHandler, "GET", "/timestamp", authorised=False)

    def close(self):
        """Closes the connection; the next request opens another."""
        self._connection.close()

    # Names under which applications call the same.
    _http_read = http_read
    _http_long_poll = http_long_poll
    _http_write_dict = http_write_multiple
    _http_readwrite = http_readwrite
    _http_activate = http_activate
    _http_listContent = http_list_content
    _http_getContent = http_get_content
    _http_getContentInfo = http_content_info

    def _content(self, *more):
        query = _form([("vendor", self._vendor), ("model", self._model)] + list(more))
        return self._request(ResponseHandler, "GET", "/provision/download?" + query.decode("ascii"))

    def _request(self, handler, method, path, body=None, accept=None, headers=None, timeout=None, authorised=True):
        answer = self._send(handler, method, path, body, accept, headers, timeout, authorised)
        self._online = answer.online
        if authorised and answer.code == Http_ReadWriteCodes.Unauthorized:
            self._activated = False
        return answer

    def _send(self, handler, method, path, body, accept, headers, timeout, authorised):
        all_headers = {"User-Agent": self._user_agent}
        all_headers.update(headers or {})
        if accept is not None:
            all_headers["Accept"] = accept
        if body is not None:
            all_headers["Content-Type"] = _FORM
        if authorised and not self._has_certificate:
            all_headers.update(self._identity())
        seconds = self._timeout if timeout is None else timeout
        try:
            status, answered, content = self._connection.request(method, path, all_headers, body, seconds)
        except NETWORK_ERRORS as error:
            return handler(Http_ReadWriteCodes.Timeout, "no answer: {0}".format(error))
        text = content.decode("utf-8", "replace")
        return handler(status, text if sys.version_info[0] >= 3 else text.encode("utf-8"), answered, content)

    def _identity(self):
        if self._cik:
            return {"X-Exosite-CIK": self._cik}
        # The gateway's message queue knows a device by these as well.
        if self._vendor and self._uuid:
            return {"X-Exosite-VMS": " ".join((self._vendor, self._model, self._uuid))}
        return {}


def _text(value):
    return value.decode("utf-8") if isinstance(value, bytes) and sys.version_info[0] >= 3 else str(value)


def _bytes(value):
    if isinstance(value, bytes):
        return value
    return (value if isinstance(value, unicode) else str(value)).encode("utf-8")


def _form(pairs):
    return "&".join("{0}={1}".format(_quote(key), _quote(value)) for key, value in pairs).encode("ascii")


def _aliases(read_list):
    if isinstance(read_list, (bytes, unicode)):
        read_list = [read_list]
    if not read_list:
        raise ValueError("no alias to read")
    return "&".join(_quote(alias) for alias in read_list)


def _quote(value):
    return quote(_bytes(value), safe="")
