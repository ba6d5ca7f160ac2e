"""The examples in docs/api.md and README.md do what they say, as they stand."""

import asyncio
import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.person import connected
from tests.support.server import running, token

ROOT = Path(__file__).resolve().parent.parent.parent
NODE_PACKAGES = ROOT / "tests/integration/js"
DOCUMENTED_URL = "http://localhost:8080"


def example(page: str, language: str, url: str) -> str:
    """Return the first block of code in `language` on a page, for the server at `url`."""
    found = re.search(rf"^```{language}\n(.*?)^```", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL)
    assert found, f"{page} has no {language} example"
    assert DOCUMENTED_URL in found[1]
    return found[1].replace(DOCUMENTED_URL, url)


async def run_node(code: str, access_token: str) -> str:
    """Run a module in Node, with the official client at hand, and return what it printed."""
    command = ("node", "--input-type=module", "--eval", code)
    pipe = asyncio.subprocess.PIPE
    environment = {**os.environ, "TOKEN": access_token}
    process = await asyncio.create_subprocess_exec(
        *command, cwd=NODE_PACKAGES, env=environment, stdout=pipe, stderr=pipe
    )
    out, err = await asyncio.wait_for(process.communicate(), 20)
    assert 0 == process.returncode, err.decode()
    return out.decode()


async def test_the_python_example_sends_a_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Copied, with only the address changed, the Python client connects, sends, and prints the message's seq."""
    async with running(tmp_path) as server, connected(server.url, "ms-rao", token(server, "ms-rao", "teacher")) as rao:
        room = (await rao.ok("room:open", {"kind": "group", "title": "Art"}))["room"]
        names: dict[str, Any] = {}
        exec(compile(example("docs/api.md", "python", server.url), "docs/api.md", "exec"), names)  # noqa: S102 - our page
        await names["main"](token(server, "ms-rao", "teacher"), room["id"])
        heard = await rao.wait_for("message:new")
    assert "Good morning!" == heard["message"]["body"]
    assert "1" in capsys.readouterr().out.splitlines()


@pytest.mark.node
async def test_the_javascript_example_signs_in_and_lists_rooms(tmp_path: Path) -> None:
    """The client of api.md connects in Node and prints who it is and the rooms it has."""
    async with running(tmp_path) as server, connected(server.url, "ms-rao", token(server, "ms-rao", "teacher")) as rao:
        await rao.ok("room:open", {"kind": "group", "title": "Art"})
        given = "const currentToken = async () => process.env.TOKEN; const show = () => {};\n"
        code = given + example("docs/api.md", "js", server.url) + "socket.close();"
        out = await run_node(code, token(server, "ms-rao", "teacher"))
    assert "signed in as Ms-Rao" in out
    assert "title: 'Art'" in out


@pytest.mark.node
async def test_the_readme_example_sends_a_message(tmp_path: Path) -> None:
    """The twelve lines that the README shows first work."""
    async with running(tmp_path) as server, connected(server.url, "ms-rao", token(server, "ms-rao", "teacher")) as rao:
        await rao.ok("room:open", {"kind": "group", "title": "Art"})
        code = "const { TOKEN: token } = process.env;\n" + example("README.md", "js", server.url) + "socket.close();"
        await run_node(code, token(server, "ms-rao", "teacher"))
        heard = await rao.wait_for("message:new")
    assert "Good morning!" == heard["message"]["body"]
