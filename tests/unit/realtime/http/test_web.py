"""The web app's files: which to send, and in which encoding."""

import gzip
from pathlib import Path

import pytest

from realtime.http.web import WebApp, choose, is_page, read_asset

ENCODINGS = {"identity": b"xxxx", "gzip": b"xx", "br": b"x"}


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        ("", "identity"),
        ("gzip, deflate, br, zstd", "br"),
        ("GZIP", "gzip"),
        ("gzip;q=1.0, br;q=0.5", "br"),
        ("br;q=0", "identity"),
        ("br; q=0.000, gzip;q=0.1", "gzip"),
        ("deflate", "identity"),
    ],
)
def test_the_smallest_that_is_accepted(accepted: str, expected: str) -> None:
    """RFC 9110 §12.5.3: an encoding with q=0 is refused."""
    assert expected == choose(accepted, ENCODINGS)


@pytest.mark.parametrize("path", ["/", "/rooms/1", "/a/b/c", "/v1x", "/docs", "/assetsx"])
def test_pages_of_the_app(path: str) -> None:
    """Addresses without a dot in their last part are the app's to route."""
    assert is_page(path)


@pytest.mark.parametrize(
    "path", ["/v1", "/v1/", "/v1/me", "/socket.io", "/socket.io/x", "/assets/a", "/a.js", "/a/b.png", "/.env"]
)
def test_not_pages_of_the_app(path: str) -> None:
    """The server's own addresses and files are not: a missing one must be seen to be missing."""
    assert not is_page(path)


async def test_text_is_compressed_and_pictures_never(tmp_path: Path) -> None:
    """Small files do not pay, and pictures are compressed already."""
    encodings = {}
    for name, size in (("big.js", 5000), ("small.js", 10), ("big.png", 5000)):
        (tmp_path / name).write_bytes(b"a" * size)
        asset = read_asset(tmp_path / name)
        await asset.compress()
        encodings[name] = asset.encodings
    expected = {"big.js": ["identity", "gzip"], "small.js": ["identity"], "big.png": ["identity"]}
    assert expected == {name: list(of) for name, of in encodings.items()}
    assert b"a" * 5000 == gzip.decompress(encodings["big.js"]["gzip"])


async def test_ready_made_encodings_are_taken(tmp_path: Path) -> None:
    """What the build has compressed better is sent as it is."""
    (tmp_path / "app.css").write_bytes(b"a" * 5000)
    (tmp_path / "app.css.br").write_bytes(b"br")
    (tmp_path / "app.css.gz").write_bytes(b"gz")
    asset = read_asset(tmp_path / "app.css")
    await asset.compress()
    assert (b"br", b"gz") == (asset.encodings["br"], asset.encodings["gzip"])
    assert "text/css; charset=utf-8" == asset.media


def test_the_tag_is_the_contents(tmp_path: Path) -> None:
    """Two files with the same bytes have the same ETag, others have not."""
    for name, data in (("a.js", b"1"), ("b.js", b"1"), ("c.js", b"2")):
        (tmp_path / name).write_bytes(data)
    a, b, c = (read_asset(tmp_path / f"{name}.js").etag for name in "abc")
    assert (True, False) == (a == b, a == c)


def test_no_directory_is_no_app(tmp_path: Path) -> None:
    """A server without the app starts all the same."""
    assert not WebApp(tmp_path / "missing", "").built
