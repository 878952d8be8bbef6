"""What a call to Murano came back with. Calls never raise for what a network or a server does: they return one of these."""

try:
    from urllib.parse import parse_qsl
except ImportError:  # Python 2
    from urlparse import parse_qsl


class Http_ActivationCodes(object):
    """Status codes of an activation; 0: no answer."""

    Timeout = 0
    OK = 200
    DeviceNotin1P = 403
    NotFound = 404
    NotEnabled = 409


class Http_ReadWriteCodes(object):
    """Status codes of reads and writes; 0: no answer."""

    Timeout = 0
    OK = 200
    NoContent = 204
    NotModified = 304
    BadRequest = 400
    Unauthorized = 401
    Conflict = 409


class ResponseHandler(object):
    """The answer to one request.

    code: the HTTP status, or 0 when there was no (whole) answer.
    body: the answer's text, as it came; without an answer, what went wrong.
    headers: of the answer, names in lower case.
    online: whether the server answered at all.
    success: whether what was asked for is done.
    """

    successful = (Http_ReadWriteCodes.OK, Http_ReadWriteCodes.NoContent)

    def __init__(self, code, body, headers=None, content=b""):
        self.code = code
        self.body = body
        self.content = content
        self.headers = {} if headers is None else headers

    @property
    def online(self):
        return self.code != Http_ReadWriteCodes.Timeout

    @property
    def success(self):
        return self.code in self.successful

    def __repr__(self):
        return "<{0} code={1} body={2!r}>".format(type(self).__name__, self.code, self.body[:200])

    __str__ = __repr__


class WriteHandler(ResponseHandler):
    """The answer to a write or a record."""


class ReadHandler(ResponseHandler):
    """The answer to a read; `body` is `alias=value&...`, percent-encoded."""

    @property
    def values(self):
        """dict of alias to value, both text; empty when there is nothing to read."""
        if self.code != Http_ReadWriteCodes.OK:
            return {}
        return dict(parse_qsl(self.body, keep_blank_values=True))


class ReadWriteHandler(ReadHandler):
    """The answer to a combined write and read."""


class LongPollHandler(ReadHandler):
    """The answer to a long poll: 200 with the new value, or 304 when there was none in time."""

    successful = (Http_ReadWriteCodes.OK, Http_ReadWriteCodes.NotModified)

    @property
    def last_modified(self):
        """Text to give as `modify_ts` to the next long poll, so that no value in between is missed; or None."""
        return self.headers.get("last-modified")


class ActivationHandler(ResponseHandler):
    """The answer to an activation."""

    successful = (Http_ActivationCodes.OK,)

    @property
    def cik(self):
        """The new CIK, or None when the answer holds none."""
        text = self.body.strip()
        return text if self.success and is_cik(text) else None


def is_cik(text):
    """Whether this is a CIK: 40 letters and digits."""
    return len(text) == 40 and all(c in _ALPHANUMERIC for c in text)


_ALPHANUMERIC = frozenset("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
