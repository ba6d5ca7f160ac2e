"""The built web app: its files, compressed once, and its index for every address that is the app's own."""

import asyncio
import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from aiohttp import web

_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".map": "application/json",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".webp": "image/webp",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
}
_COMPRESSIBLE: Final = frozenset(
    {".html", ".js", ".mjs", ".css", ".json", ".webmanifest", ".map", ".svg", ".txt", ".wasm"}
)
_READY_MADE: Final = {".br": "br", ".gz": "gzip"}
_MIN_COMPRESSED: Final = 1024
_IMMUTABLE: Final = "public, max-age=31536000, immutable"
_HASHED: Final = "/assets/"
_NOT_PAGES: Final = ("/v1/", "/socket.io/", "/.well-known/", _HASHED)

_NOT_BUILT: Final = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Homeroom</title>
<h1>Homeroom is running</h1>
<p>The web app is not built. In the repository, run <code>make web</code>, then start the server again.</p>
<p>The API is here already: see <a href="/docs">its reference</a>.</p>
</html>
"""


@dataclass(frozen=True, slots=True)
class Asset:
    """One file: its bytes by content encoding (`identity` always), ready to send."""

    media: str
    etag: str
    encodings: dict[str, bytes]
    compressible: bool

    async def compress(self) -> None:
        """Add gzip if that pays and is not there. Two first requests may both do it: harmless, and no lock."""
        if self.compressible and "gzip" not in self.encodings:
            self.encodings["gzip"] = await asyncio.to_thread(gzip.compress, self.encodings["identity"], 9, mtime=0)


class WebApp:
    """Serves the files below one directory, as they were when the server started. Blocks to read them.

    Requests are looked up in what was read: no path of a request reaches the disk, and a rebuild cannot mix two
    versions. A file is compressed at its first request, off the event loop.
    """

    def __init__(self, directory: Path, policy: str) -> None:
        self._policy = policy
        self._assets = _read_all(directory)

    @property
    def built(self) -> bool:
        """Whether there is an app to serve."""
        return "/index.html" in self._assets

    async def respond(self, request: web.Request) -> web.Response | None:
        """Return a file of the app, its index for an address of its own, or None if there is nothing."""
        if request.method not in ("GET", "HEAD"):
            return None
        path = request.rel_url.path
        name = path if path in self._assets else "/index.html" if is_page(path) else None
        if name is None:
            return None
        if not self.built:
            return self._not_built() if path == "/" else None
        return await self._response(request, name, self._assets[name])

    async def _response(self, request: web.Request, name: str, asset: Asset) -> web.Response:
        headers = {
            "Cache-Control": _IMMUTABLE if name.startswith(_HASHED) else "no-cache",
            "Content-Security-Policy": self._policy,
            "ETag": asset.etag,
            "Vary": "Accept-Encoding",
        }
        if _matches(request.headers.get("If-None-Match", ""), asset.etag):
            return web.Response(status=304, headers=headers)
        await asset.compress()
        encoding = choose(request.headers.get("Accept-Encoding", ""), asset.encodings)
        if encoding != "identity":
            headers["Content-Encoding"] = encoding
        return web.Response(body=asset.encodings[encoding], headers={**headers, "Content-Type": asset.media})

    def _not_built(self) -> web.Response:
        headers = {"Cache-Control": "no-cache"}
        return web.Response(text=_NOT_BUILT, content_type="text/html", headers=headers)


def is_page(path: str) -> bool:
    """Whether the app routes this address in the browser: not the server's own ones, and no file name."""
    return not f"{path}/".startswith(_NOT_PAGES) and "." not in PurePosixPath(path).name


def choose(accepted: str, encodings: dict[str, bytes]) -> str:
    """Return the smallest encoding that an Accept-Encoding header allows (RFC 9110 §12.5.3)."""
    allowed = {"identity"}
    for item in accepted.lower().split(","):
        name, _, parameters = item.strip().partition(";")
        if parameters.replace(" ", "").rstrip("0.") != "q=":
            allowed.add(name.strip())
    return min((name for name in encodings if name in allowed), key=lambda name: len(encodings[name]))


def read_asset(path: Path) -> Asset:
    """Read a file, with its ready-made `.br` and `.gz` beside it."""
    data = path.read_bytes()
    siblings = {encoding: path.with_name(path.name + suffix) for suffix, encoding in _READY_MADE.items()}
    encodings = {"identity": data}
    encodings |= {encoding: sibling.read_bytes() for encoding, sibling in siblings.items() if sibling.is_file()}
    etag = f'"{hashlib.sha256(data).hexdigest()[:20]}"'
    compressible = path.suffix in _COMPRESSIBLE and len(data) >= _MIN_COMPRESSED
    return Asset(_TYPES.get(path.suffix, "application/octet-stream"), etag, encodings, compressible)


def _read_all(directory: Path) -> dict[str, Asset]:
    root = directory.resolve()
    files = (path for path in root.rglob("*") if path.is_file() and path.suffix not in _READY_MADE)
    # A link that leads out of the directory is not part of the app.
    own = (path for path in files if path.resolve().is_relative_to(root))
    return {f"/{path.relative_to(root).as_posix()}": read_asset(path) for path in own}


def _matches(if_none_match: str, etag: str) -> bool:
    return if_none_match == "*" or etag in (tag.strip().removeprefix("W/") for tag in if_none_match.split(","))
