"""The official JavaScript client in each of its transport modes, in Node and in Chromium, against the echo contract."""

import os
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from tests.support.echo import Echo, echoing
from tests.support.javascript import PACKAGE, TRANSPORTS, Driver, JsPerson, as_bytes
from tests.support.window import chromium

CLIENT = PACKAGE / "node_modules/socket.io-client/dist/socket.io.min.js"
BURST = 100

PAGE = """async ([url, transports, bytes]) => {
  const socket = io(url, { transports, auth: { token: "abc" }, forceNew: true });
  const once = (event) => new Promise((resolve) => socket.once(event, (...args) => resolve(args)));
  const list = (data) => Array.from(new Uint8Array(data));
  const refused = once("connect_error").then(([error]) => { throw error; });
  const [auth] = await Promise.race([once("auth"), refused]);
  const engine = socket.io.engine;
  if (transports.length > 1 && engine.transport.name !== "websocket") {
    await new Promise((resolve) => engine.once("upgrade", resolve));
  }
  const back = once("message-back");
  socket.emit("message", Uint8Array.from(bytes), { deep: [new Blob([Uint8Array.from(bytes)])] });
  const [flat, { deep: [deep] }] = await back;
  const acked = await socket.emitWithAck("message-with-ack", Uint8Array.from(bytes).buffer);
  const numbers = await Promise.all(Array.from({ length: 200 }, (_, n) => socket.emitWithAck("message-with-ack", n)));
  const custom = io(`${url}/custom`, { transports });
  const joined = await new Promise((resolve) => custom.once("auth", resolve));
  const transport = engine.transport.name;
  custom.disconnect();
  socket.disconnect();
  return { auth, transport, flat: list(flat), deep: list(deep), acked: list(acked), numbers, joined };
}"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """Chromium, for all tests of this module."""
    async with chromium() as started:
        yield started


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser) -> AsyncIterator[Page]:
    """An empty page with the client in it."""
    page = await browser.new_page()
    await page.add_script_tag(path=CLIENT)
    yield page
    await page.close()


async def opened(node: Driver, echo: Echo, transports: list[str], namespace: str = "/", **options: Any) -> JsPerson:
    """Connect, with a payload, and upgrade if that is the mode."""
    person = node.person("someone")
    await person.open(f"{echo.url}{namespace}", transports=transports, auth={"token": "abc"}, **options)
    assert {"token": "abc"} == await person.wait_for("auth")
    await person.has_used(transports)
    return person


def back(person: JsPerson) -> list[list[Any]]:
    """Return the arguments of each `message-back` so far."""
    return [arguments for name, arguments in person.events if name == "message-back"]


@pytest.mark.node
@pytest.mark.parametrize("namespace", ["/", "/custom"])
async def test_events_come_back(node: Driver, calm: Echo, transports: list[str], namespace: str) -> None:
    """The handshake's payload arrives, an upgrade that is allowed happens, and events come back as they were."""
    person = await opened(node, calm, transports, namespace)
    sent = [1, "2", {"3": [True, None, "é🎓"]}, [], {}]
    await person.emit("message", *sent)
    await person.until(lambda: bool(back(person)))
    assert [sent] == back(person)
    assert [] == person.was("disconnect")


@pytest.mark.node
async def test_bytes_come_back(node: Driver, calm: Echo, transports: list[str]) -> None:
    """Buffers at any depth, none at all and half a megabyte of them, in events and in acks."""
    person = await opened(node, calm, transports)
    for data in (b"", b"\x00\xff", os.urandom(500_000)):
        sent = [as_bytes(data), {"deep": [1, {"er": as_bytes(data[::-1])}]}, "text"]
        await person.emit("message", *sent)
        await person.until(lambda sent=sent: sent in back(person))  # type: ignore[misc]
        assert sent[1] == await person.call("message-with-ack", sent[1])


@pytest.mark.node
async def test_bursts_are_acknowledged_in_order(node: Driver, calm: Echo, transports: list[str]) -> None:
    """A hundred events with bytes in one turn of the client's loop, each acknowledged with its own."""
    person = await opened(node, calm, transports)
    sent = [{"number": number, "data": as_bytes(os.urandom(100))} for number in range(BURST)]
    assert sent == await person.burst([("message-with-ack", data) for data in sent])


@pytest.mark.node
async def test_bytes_cross_the_upgrade(node: Driver, calm: Echo) -> None:
    """What is sent while the client moves from polling to websocket comes back, once and in order."""
    person = node.person("someone")
    await person.open(calm.url, transports=["polling", "websocket"])
    sent = [[number, as_bytes(b"%d" % number)] for number in range(BURST)]
    for arguments in sent:
        await person.emit("message", *arguments)
    await person.until(lambda: len(back(person)) >= BURST)
    await person.has_used(["polling", "websocket"])
    assert sent == back(person)


@pytest.mark.node
async def test_two_namespaces_share_a_connection(node: Driver, calm: Echo, transports: list[str]) -> None:
    """Both work over one manager; leaving one leaves the other."""
    main = await opened(node, calm, transports, forceNew=False)
    custom = node.person("someone else")
    await custom.open(f"{calm.url}/custom", transports=transports, forceNew=False)
    assert {} == await custom.wait_for("auth")
    await custom.leave()
    await custom.until(lambda: custom.was("disconnect") == ["io client disconnect"])
    assert {"still": "here"} == await main.call("message-with-ack", {"still": "here"})


@pytest.mark.node
async def test_the_heartbeat_keeps_a_connection(node: Driver, beating: Echo, transports: list[str]) -> None:
    """A client that says nothing stays connected from ping to ping."""
    person = await opened(node, beating, transports)
    await person.until(lambda: len(person.was("ping")) >= 4)
    assert {"still": "here"} == await person.call("message-with-ack", {"still": "here"})
    assert [] == person.was("disconnect")


@pytest.mark.node
async def test_an_unknown_namespace_is_refused(node: Driver, calm: Echo, transports: list[str]) -> None:
    """`connect_error`, with the words of the reference server."""
    person = node.person("someone")
    await person.open(f"{calm.url}/nowhere", transports=transports)
    await person.until(lambda: bool(person.was("connect_error")))
    assert [{"message": "Invalid namespace", "data": None}] == person.was("connect_error")


@pytest.mark.node
async def test_a_server_that_comes_back_is_found(node: Driver, transports: list[str]) -> None:
    """The client reconnects by itself when a server was killed and comes back, and everything works as before."""
    with echoing() as echo:
        person = await opened(node, echo, transports, reconnectionDelay=50, reconnectionDelayMax=200)
        echo.kill()
    await person.until(lambda: bool(person.was("disconnect")))
    with echoing(port=echo.port):
        await person.until(lambda: 2 == len(person.was("connect")))
        payload = {"bytes": as_bytes(b"\x01\x02")}
        assert payload == await person.call("message-with-ack", payload)
        await person.leave()


@pytest.mark.browser
@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("mode", TRANSPORTS)
async def test_bytes_come_back_to_a_browser(page: Page, calm: Echo, mode: str) -> None:
    """In Chromium: typed arrays, blobs and buffers, in events and acks, two hundred acks at once, and a namespace."""
    data = list(os.urandom(5000))
    told = await page.evaluate(PAGE, [calm.url, TRANSPORTS[mode], data])
    assert ({"token": "abc"}, {}) == (told["auth"], told["joined"])
    assert TRANSPORTS[mode][-1] == told["transport"]
    assert [data] * 3 == [told["flat"], told["deep"], told["acked"]]
    assert list(range(200)) == told["numbers"]
