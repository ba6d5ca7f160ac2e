"""Every measurement, one after the other, each in a process of its own: `python -m bench`, or `make bench`."""

import subprocess
import sys

MODULES = {
    "bench.store": "The store alone",
    "bench.sockets": "A server, through websockets on 127.0.0.1",
}


def main() -> None:
    """Run all; stop at the first that fails."""
    for module, title in MODULES.items():
        print(f"\n{title} (python -m {module})\n", flush=True)
        subprocess.run([sys.executable, "-m", module], check=True)


if __name__ == "__main__":
    main()
