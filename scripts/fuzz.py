"""Feed the parsers of the engine with bytes that coverage guides: `pip install atheris && python scripts/fuzz.py`.

The tests do so too, on a small scale and by chance. This one learns which bytes lead where, a million in some twenty
seconds, and is for whoever changes a parser. It ends with status 0 if nothing but the refusals that are meant came out.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["realtime.engine", "socketio", "engineio"]):
    from realtime.engine.head import HeadRefused, parse_head
    from realtime.engine.packets import Incomplete, Malformed, Packet, decode
    from realtime.engine.proxies import BadProxyHeader, read_proxy_header

SECONDS = 60
LONGEST = 600
SEEDS = (
    b'p2["message:send",{"room_id":"r","client_id":"1","body":"x"}]',
    b'p51-/admin,9["e",{"_placeholder":true,"num":0}]',
    b'p0/admin,{"token":"x"}',
    b"p1/admin,",
    b'p612-3["e",[{"_placeholder":true,"num":1}]]',
    b"hGET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: a, Upgrade",
    b"xPROXY TCP6 ::1 ::2 1 65535\r\nGET / HTTP/1.1",
    b"x\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c" + bytes(12),
)
"""The first byte says which parser gets the rest."""


def feed(data: bytes) -> None:
    """Give bytes to one parser. Whatever comes out but its refusal ends the run with a report."""
    which, rest = data[:1], data[1:]
    try:
        if which < b"i":
            parse_head(rest + b"\r\n\r\n")
        elif which < b"x":
            _complete(decode(b"4" + rest))
        else:
            read_proxy_header(rest)
    except (Malformed, HeadRefused, BadProxyHeader):
        pass


def _complete(packet: Packet | Incomplete) -> None:
    while isinstance(packet, Incomplete):
        packet = packet.add(b"bytes") or packet


def main() -> None:
    """Run for a bounded time."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=int, default=SECONDS)
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory() as corpus:
        for number, seed in enumerate(SEEDS):
            Path(corpus, str(number)).write_bytes(seed)
        atheris.Setup([sys.argv[0], corpus, f"-max_total_time={seconds}", f"-max_len={LONGEST}"], feed)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
