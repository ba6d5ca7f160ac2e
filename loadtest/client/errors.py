"""How a connection attempt, a call and an HTTP request fail: each with a short, stable code.

ConnectFailed   no connection:   any of MEANINGS, http_<status>, or the server's own code
CallFailed      no ok answer:    lost, timeout, garbage, or the server's own code
ApiFailed       no HTTP answer:  any of MEANINGS
"""

import asyncio
import errno
import ssl

import aiohttp

MEANINGS = {
    "refused": "nobody listens there",
    "timeout": "no answer in time",
    "lost": "the connection ended first",
    "garbage": "the answer could not be read",
    "tls": "the TLS handshake failed",
    "no_ports": "no local port is left: use more source addresses, or wait until closed connections are forgotten",
    "files": "too many open files: raise `ulimit -n`",
}


class _Failed(Exception):
    """Something failed under a code; `retry_after_ms` is when the server asks for the next attempt."""

    def __init__(self, code: str, text: str = "", retry_after_ms: int | None = None) -> None:
        super().__init__(": ".join(part for part in (code, text or MEANINGS.get(code, "")) if part))
        self.code = code
        self.retry_after_ms = retry_after_ms


class ConnectFailed(_Failed):
    """There is no connection: nobody answered, the answer was no handshake, or the server said no."""


class CallFailed(_Failed):
    """An event got an error for an answer, or none."""


class ApiFailed(_Failed):
    """An HTTP request got no answer."""


def code_of(exc: BaseException) -> str:
    """Return the code of what the network said."""
    if isinstance(exc, TimeoutError | asyncio.TimeoutError):
        return "timeout"
    if isinstance(exc, ssl.SSLError | aiohttp.ClientSSLError | aiohttp.ServerFingerprintMismatch):
        return "tls"
    if isinstance(
        exc, aiohttp.ServerDisconnectedError | aiohttp.ClientPayloadError | aiohttp.ClientConnectionResetError
    ):
        return "lost"
    if isinstance(exc, aiohttp.ClientConnectorError):
        return code_of(exc.os_error)
    if isinstance(exc, OSError):
        return _CODES.get(exc.errno or 0, "refused")
    return "garbage"


_CODES = {
    errno.EMFILE: "files",
    errno.ENFILE: "files",
    errno.EADDRNOTAVAIL: "no_ports",
    errno.ETIMEDOUT: "timeout",
    errno.ECONNRESET: "lost",
    errno.ECONNABORTED: "lost",
    errno.EPIPE: "lost",
}
