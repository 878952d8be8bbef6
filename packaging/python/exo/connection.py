"""One server's HTTP connection: TLS verified, proxies of the environment honoured, kept open between requests."""

import base64
import socket
import ssl
import time

try:
    from http.client import HTTPConnection, HTTPException, HTTPSConnection
    from urllib.parse import unquote, urlsplit
    from urllib.request import getproxies, proxy_bypass
except ImportError:  # Python 2
    from httplib import HTTPConnection, HTTPException, HTTPSConnection
    from urllib import getproxies, proxy_bypass, unquote
    from urlparse import urlsplit

# Servers close idle connections after 5 seconds and more. A write on one that is just being closed can't be repeated.
_KEEP_ALIVE_SECONDS = 4.0
_BODY_LIMIT = 64 * 1024 * 1024

_LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")

# A certificate of another host is an error of a kind of its own in Python 2.
NETWORK_ERRORS = (socket.error, ssl.SSLError, ssl.CertificateError, HTTPException)


class BodyTooLarge(HTTPException):
    """The answer is longer than any that this library reads into memory."""


def parse_server(url, use_ssl):
    """(scheme, host, port) of `[scheme://]host[:port]`; without a scheme the gateway's own queue is plain HTTP."""
    if "://" not in url:
        local = url.split("/")[0].rsplit(":", 1)[0] in _LOCAL_HOSTS
        url = ("https" if use_ssl and not local else "http") + "://" + url
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("not a server: {0!r} (wanted: [http[s]://]host[:port])".format(url))
    return parts.scheme, parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)


class Connection(object):
    """server: (scheme, host, port). ca_file, cert_file, key_file: paths of PEM files, or None. Not for several threads at once."""

    def __init__(self, server, ca_file=None, cert_file=None, key_file=None):
        self._scheme, self._host, self._port = server
        self._ca_file = ca_file
        self._cert_file = cert_file
        self._key_file = key_file
        self._proxy = _proxy_of_environment(self._scheme, self._host)
        self._http = None
        self._used_at = 0.0

    def request(self, method, path, headers, body, timeout):
        """(status, headers with lower-case names, body as bytes). Raises NETWORK_ERRORS."""
        kept = self._take_kept()
        if kept is not None:
            try:
                return self._exchange(kept, method, path, headers, body, timeout)
            except NETWORK_ERRORS as error:
                # A kept connection may have been closed meanwhile. Only what changes nothing is asked twice.
                if method != "GET" or isinstance(error, (socket.timeout, BodyTooLarge)):
                    raise
        return self._exchange(self._connect(timeout), method, path, headers, body, timeout)

    def close(self):
        if self._http is not None:
            self._http.close()
            self._http = None

    def _take_kept(self):
        if self._http is not None and _monotonic() - self._used_at > _KEEP_ALIVE_SECONDS:
            self.close()
        return self._http

    def _connect(self, timeout):
        self.close()
        proxy = self._proxy
        host, port = (self._host, self._port) if proxy is None else proxy.address
        if self._scheme == "https":
            http = HTTPSConnection(host, port, timeout=timeout, context=self._tls())
            if proxy is not None:
                http.set_tunnel(self._host, self._port, proxy.headers)
        else:
            http = HTTPConnection(host, port, timeout=timeout)
        self._http = http
        return http

    def _exchange(self, http, method, path, headers, body, timeout):
        if self._proxy is not None and self._scheme == "http":
            path = "http://{0}:{1}{2}".format(self._host, self._port, path)
            headers = dict(headers, **self._proxy.headers)
        try:
            http.timeout = timeout
            if http.sock is not None:
                http.sock.settimeout(timeout)
            http.request(method, path, body, headers)
            response = http.getresponse()
            content = response.read(_BODY_LIMIT + 1)
            if len(content) > _BODY_LIMIT:
                raise BodyTooLarge("the answer is longer than {0} bytes".format(_BODY_LIMIT))
        except BaseException:
            self.close()
            raise
        if response.will_close:
            self.close()
        self._used_at = _monotonic()
        return response.status, dict((k.lower(), v) for k, v in response.getheaders()), content

    def _tls(self):
        context = ssl.create_default_context(cafile=self._ca_file)
        if self._cert_file is not None:
            context.load_cert_chain(self._cert_file, self._key_file)
        return context


class _Proxy(object):
    def __init__(self, url):
        parts = urlsplit(url if "://" in url else "http://" + url)
        self.address = (parts.hostname, parts.port or 80)
        self.headers = {}
        if parts.username is not None:
            secret = unquote(parts.username) + ":" + unquote(parts.password or "")
            self.headers["Proxy-Authorization"] = "Basic " + base64.b64encode(secret.encode("utf-8")).decode("ascii")


def _proxy_of_environment(scheme, host):
    if host in ("localhost", "127.0.0.1", "::1") or proxy_bypass(host):
        return None
    url = getproxies().get(scheme)
    return None if url is None else _Proxy(url)


def _monotonic():
    # Python 2 has no clock that never steps. A step costs at most one connection there.
    return getattr(time, "monotonic", time.time)()
