"""The built web app, and who may call from elsewhere."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.api import Answer, Api, school

INDEX = "<!doctype html><title>Homeroom</title>"
SCRIPT = "console.log('homeroom');\n" * 200


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    """A built app, with a secret beside it and a link to that secret in it."""
    dist = tmp_path / "dist"
    (dist / "assets").mkdir(parents=True)
    (dist / "index.html").write_text(INDEX)
    (dist / "assets" / "index-Bx3f.js").write_text(SCRIPT)
    (dist / "assets" / "index-Bx3f.js.br").write_bytes(b"brotli")
    (dist / "favicon.svg").write_text("<svg/>")
    (tmp_path / "secret.txt").write_text("secret")
    (dist / "link.txt").symlink_to(tmp_path / "secret.txt")
    return dist


@pytest.fixture
async def api(tmp_path: Path, dist: Path) -> AsyncIterator[Api]:
    """A school with the app built."""
    async with school(tmp_path / "data", web_dir=dist, public_url="https://school.example") as api:
        yield api


async def raw(api: Api, path: str, accepted: str = "") -> Answer:
    """Return an answer to a browser that takes some encodings, as it came over the wire."""
    return await api.call("GET", path, headers={"Accept-Encoding": accepted})


@pytest.mark.parametrize("path", ["/", "/index.html", "/rooms/019a", "/rooms/a%2Fb", "/settings", "/docs2"])
async def test_the_apps_own_addresses_get_its_index(api: Api, path: str) -> None:
    """Whatever the browser routes starts with the index, which is never taken from a cache unasked."""
    answer = await raw(api, path)
    assert (200, INDEX, "no-cache") == (answer.status, answer.body.decode(), answer.headers["Cache-Control"])
    assert "text/html; charset=utf-8" == answer.headers["Content-Type"]


async def test_hashed_files_are_kept_for_ever(api: Api) -> None:
    """Their name changes with their content."""
    answer = await raw(api, "/assets/index-Bx3f.js")
    assert SCRIPT == answer.body.decode()
    assert "public, max-age=31536000, immutable" == answer.headers["Cache-Control"]
    assert "text/javascript; charset=utf-8" == answer.headers["Content-Type"]


@pytest.mark.parametrize(
    "path",
    [
        "/assets/missing.js",
        "/assets/",
        "/assets",
        "/missing.png",
        "/v1/missing",
        "/v1",
        "/.well-known/missing",
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/assets/../../secret.txt",
        "/assets/%2e%2e/%2e%2e/secret.txt",
        "//secret.txt",
        "/link.txt",
        "/assets/index-Bx3f.js.br",
        "/%00.txt",
    ],
)
async def test_nothing_but_the_app_is_served(api: Api, path: str) -> None:
    """Missing files are missing, and there is no way out of the directory: not by dots, encodings or links."""
    answer = await api.call("GET", path)
    assert (404, "request.not_found") == (answer.status, answer.code)


async def test_the_sockets_are_not_the_apps(api: Api) -> None:
    """The engine answers below its own path."""
    async with api.session.get(f"{api.url}/socket.io/?EIO=4&transport=polling") as response:
        assert (200, True) == (response.status, (await response.text()).startswith("0{"))


async def test_files_are_compressed_as_the_browser_likes(api: Api) -> None:
    """gzip is made here (and unpacked by the client); without it the file comes as it is."""
    path = "/assets/index-Bx3f.js"
    sent = {
        accepted: (await raw(api, path, accepted)).headers.get("Content-Encoding")
        for accepted in ("gzip, deflate", "br;q=0, gzip", "gzip;q=0", "identity", "")
    }
    assert {"gzip, deflate": "gzip", "br;q=0, gzip": "gzip", "gzip;q=0": None, "identity": None, "": None} == sent
    packed = await raw(api, path, "gzip")
    assert (SCRIPT, "Accept-Encoding") == (packed.body.decode(), packed.headers["Vary"])
    assert int(packed.headers["Content-Length"]) < len(SCRIPT) / 10


async def test_an_unchanged_file_is_not_sent_again(api: Api) -> None:
    """A matching ETag is a 304."""
    first = await raw(api, "/")
    again = await api.call("GET", "/", headers={"If-None-Match": f'"other", W/{first.headers["ETag"]}'})
    assert (304, b"") == (again.status, again.body)


async def test_a_rebuild_does_not_mix_two_versions(api: Api, dist: Path) -> None:
    """Until the restart everyone gets the app that the server started with, whole."""
    rebuild(dist)
    assert INDEX == (await raw(api, "/")).body.decode()
    assert SCRIPT == (await raw(api, "/assets/index-Bx3f.js")).body.decode()


def rebuild(dist: Path) -> None:
    """Change the index and take the old script away."""
    (dist / "index.html").write_text("new")
    (dist / "assets" / "index-Bx3f.js").unlink()


async def test_the_app_may_load_only_itself(api: Api) -> None:
    """Own scripts, own server, its sockets by name for older browsers; never in a frame, and only over https again."""
    headers = (await raw(api, "/")).headers
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert ("'self'", "'self' wss://school.example") == (policy["script-src"], policy["connect-src"])
    assert ("'none'", "DENY") == (policy["frame-ancestors"], headers["X-Frame-Options"])
    assert "max-age=31536000" == headers["Strict-Transport-Security"]


async def test_without_the_app_the_server_says_how_to_get_it(tmp_path: Path) -> None:
    """A plain page at the front door, and nothing else."""
    async with school(tmp_path, web_dir=tmp_path / "none") as api:
        answer = await api.call("GET", "/")
        assert (200, True) == (answer.status, b"make web" in answer.body)
        assert "request.not_found" == (await api.refused("GET", "/rooms/1"))["code"]


ORIGIN = "https://app.example"
PREFLIGHT = {
    "Origin": ORIGIN,
    "Access-Control-Request-Method": "PUT",
    "Access-Control-Request-Headers": "authorization",
}


async def test_no_other_origin_may_read_by_default(api: Api) -> None:
    """A preflight is an ordinary request to a method that is not there."""
    assert 405 == (await api.call("OPTIONS", "/v1/me", headers=PREFLIGHT)).status
    assert "Access-Control-Allow-Origin" not in (await api.call("GET", "/v1/me", headers={"Origin": ORIGIN})).headers


async def test_a_named_origin_may_read_and_write(tmp_path: Path) -> None:
    """The preflight is answered, and so are refusals readable; others get nothing, and caches can tell them apart."""
    async with school(tmp_path, cors_origins=f"{ORIGIN}/, https://two.example") as api:
        preflight = await api.call("OPTIONS", "/v1/users/ada", headers=PREFLIGHT)
        assert (204, ORIGIN) == (preflight.status, preflight.headers["Access-Control-Allow-Origin"])
        assert "Authorization" in preflight.headers["Access-Control-Allow-Headers"]
        refused = await api.call("GET", "/v1/me", headers={"Origin": ORIGIN})
        assert (ORIGIN, "Origin") == (refused.headers["Access-Control-Allow-Origin"], refused.headers["Vary"])
        assert "Retry-After" in refused.headers["Access-Control-Expose-Headers"]
        foreign = await api.call("GET", "/v1/me", headers={"Origin": "https://evil.example"})
        assert (False, "Origin") == ("Access-Control-Allow-Origin" in foreign.headers, foreign.headers["Vary"])
        assert (
            405 == (await api.call("OPTIONS", "/v1/me", headers={**PREFLIGHT, "Origin": "https://evil.example"})).status
        )


async def test_all_origins_may_if_the_school_says_so(tmp_path: Path) -> None:
    """A star, and never credentials along with it."""
    async with school(tmp_path, cors_origins="*") as api:
        headers = (await api.call("GET", "/v1/me", headers={"Origin": ORIGIN})).headers
        assert ("*", False) == (headers["Access-Control-Allow-Origin"], "Access-Control-Allow-Credentials" in headers)
