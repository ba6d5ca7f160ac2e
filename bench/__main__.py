"""Every measurement, one after the other, each in a process of its own: `python -m bench`, or `make bench`."""

import argparse
import subprocess
import sys

MODULES = {
    "bench.store": ("The store alone", ["--seconds", "0.5"]),
    "bench.sockets": ("A server, through websockets on 127.0.0.1", ["--seconds", "2"]),
    "bench.peers": ("Homeroom beside what a school would pick instead", ["--quick"]),
}
"""What each measures, and how it is told to be quick."""


def main() -> None:
    """Run all; stop at the first that fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="only see that everything works, in about four minutes")
    quick = parser.parse_args().quick
    for module, (title, quickly) in MODULES.items():
        command = [module, *(quickly if quick else [])]
        print(f"\n{title} (python -m {' '.join(command)})\n", flush=True)
        subprocess.run([sys.executable, "-m", *command], check=True)


if __name__ == "__main__":
    main()
