"""Each metric of the process and the engine moves when what it counts happens."""

from pathlib import Path

import pytest

from realtime.lifecycle import Server
from tests.support.rawsocket import Wire, exchange, websocket
from tests.support.server import running, token
from tests.support.siege import drop, guest, poller, sample, stranger, until


async def transports(server: Server) -> tuple[float, float]:
    """Return how many sessions there are on websockets and on polling."""
    found = [await sample(server, "homeroom_sessions", transport=name) for name in ("websocket", "polling")]
    return found[0], found[1]


async def test_sessions_count_by_transport(server: Server) -> None:
    """A session counts for the transport it is on, and no more when it has ended; people count once signed in."""
    assert (0, 0) == await transports(server)
    async with guest(server, "ada"):
        address = await poller(server)
        assert (1, 1) == await transports(server)
        assert 1 == await sample(server, "homeroom_connections")
        assert 200 == (await exchange(server.port, address, method="POST", body=b"1")).status
        assert (1, 0) == await transports(server)
    await until(lambda: not server.app.hub.connections)
    assert (0, 0) == await transports(server)
    assert 0 == await sample(server, "homeroom_connections")


async def test_an_upgrade_moves_a_session(server: Server) -> None:
    """A session that changes over is one less on polling and one more on websocket."""
    address = (await poller(server)).replace("transport=polling", "transport=websocket")
    async with websocket(server.port, address) as socket:
        await socket.send_text("2probe")
        assert "3probe" == await socket.message()
        assert (0, 1) == await transports(server)
        await socket.send_text("5", "40/nowhere")
        assert str(await socket.message()).startswith("44/nowhere")
        assert (1, 0) == await transports(server)


@pytest.mark.parametrize("by", ["websocket", "polling"])
async def test_frames_and_bytes_count_in_both_directions(server: Server, by: str) -> None:
    """An event in and its ack out are one packet each, of as many bytes as they have without the framing."""
    names = ("frames_received", "frame_bytes_received", "frames_sent", "frame_bytes_sent")

    async def all_four() -> list[float]:
        return [await sample(server, f"homeroom_{name}_total") for name in names]

    event = '427["no:such_event",{}]'
    if by == "websocket":
        async with guest(server, "ada") as socket:
            before = await all_four()
            await socket.send_text(event)
            answer = str(await socket.message())
            after = await all_four()
    else:
        address = await poller(server, token(server, "ada"))
        before = await all_four()
        assert 200 == (await exchange(server.port, address, method="POST", body=event.encode())).status
        answer = (await exchange(server.port, address)).text
        after = await all_four()
    assert answer.startswith("437[")
    moved = [new - old for new, old in zip(after, before, strict=True)]
    assert [1, len(event), 1, len(answer)] == moved


async def test_open_connections_count(server: Server) -> None:
    """Whatever is open counts, also before it has said a word; each that was let in counts for good."""
    accepted = await sample(server, "homeroom_tcp_connections_accepted_total")
    assert 1 == await sample(server, "homeroom_tcp_connections")  # this one
    wire = await Wire.open(server.port)
    async with stranger(server):
        await until(lambda: server.app.door.visits == 2)
        assert 3 == await sample(server, "homeroom_tcp_connections")
    await wire.close()
    await until(lambda: server.app.door.visits == 0)
    assert accepted + 5 == await sample(server, "homeroom_tcp_connections_accepted_total")


@pytest.mark.parametrize(("said", "reason"), [(b"\x00\x01", "head"), (None, "timeout")])
async def test_who_is_sent_away_counts_by_reason(tmp_path: Path, said: bytes | None, reason: str) -> None:
    """What is no request, and what comes too late, is counted as such."""
    name = "homeroom_tcp_connections_refused_total"
    async with running(tmp_path, {"sign_in_ms": 100}) as server:
        assert 0 == await sample(server, name, reason=reason)
        wire = await Wire.open(server.port)
        await wire.send(said or b"GET / HTTP/1.1\r\n")
        await wire.rest()
        await wire.close()
        assert 1 == await sample(server, name, reason=reason)


async def test_too_many_connections_count_by_reason(tmp_path: Path) -> None:
    """A connection beyond a limit is counted under that limit."""
    async with running(tmp_path, {"connections_per_address": 2}) as server:
        first, second, third = [await Wire.open(server.port) for _ in range(3)]
        assert 503 == (await third.response()).status
        await third.close()
        await first.close()
        await second.close()
        await until(lambda: server.app.door.visits == 0)
        assert 1 == await sample(server, "homeroom_tcp_connections_refused_total", reason="address")


async def test_events_are_timed(server: Server) -> None:
    """The time to handle an event is there by its name and how it ended."""
    async with guest(server, "ada") as socket:
        await socket.send_text('421["room:list",{}]', '422["room:list",{"limit":0}]')
        await socket.messages(2)
        for code in ("ok", "request.invalid"):
            assert 1 == await sample(server, "homeroom_event_seconds_count", event="room:list", code=code)


async def test_who_did_not_sign_in_is_cut_and_counted(tmp_path: Path) -> None:
    """The reason of each cut is a label."""
    async with running(tmp_path, {"sign_in_ms": 100}) as server, stranger(server) as socket:
        await socket.ended()
        assert 1 == await sample(server, "homeroom_connections_cut_total", reason="not_signed_in")


async def test_the_process_and_its_interpreter_are_there(server: Server) -> None:
    """The usual figures of Prometheus, the loop's lag and the collector's pauses are on the page from the start."""
    page = (await exchange(server.port, "/metrics")).text
    names = ("process_open_fds", "python_info", "python_gc_collections_total", "homeroom_loop_lag_seconds_bucket")
    assert [] == [name for name in (*names, "homeroom_gc_pause_seconds_bucket") if f"\n{name}" not in page]


async def test_unread_answers_pause_a_session(tmp_path: Path) -> None:
    """Someone who asks and does not read is counted as paused, and no longer when gone."""
    patient = {"queue_bytes": 1 << 30, "queue_frames": 1 << 30}
    async with running(tmp_path, patient) as server:
        async with guest(server, "ada") as socket:
            socket.writer.transport.pause_reading()  # type: ignore[attr-defined]
            while not server.app.sockets.tally.paused:
                await socket.send_text(*(f'42{number}["no:such_event",{{}}]' for number in range(500)))
            assert 1 == await sample(server, "homeroom_sessions_paused")
            await drop(socket)
        await until(lambda: not server.app.hub.connections)
        assert 0 == await sample(server, "homeroom_sessions_paused")
