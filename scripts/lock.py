"""Pin what pyproject.toml asks for, for every platform, with the hash of each file: `make lock`.

    requirements.txt         what the server runs on
    requirements-dev.txt     the same, and what the tests and checks need
    requirements-build.txt   what installs the server's own package

The locks name versions and hashes but no address, so that they hold on any index.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMPILE = (
    *("uv", "pip", "compile", "--quiet", "--no-config", "--universal", "--python-version", "3.11"),
    *("--generate-hashes", "--no-emit-index-url", "--no-emit-find-links", "--custom-compile-command", "make lock"),
)
LOCKS = {
    "requirements.txt": ("pyproject.toml",),
    "requirements-dev.txt": ("--constraints", "requirements.txt", "pyproject.toml", "--group", "dev"),
    "requirements-build.txt": ("--constraints", "requirements-dev.txt", "--group", "build"),
}


def main() -> None:
    """Write the three locks. Arguments go to uv; `--upgrade` takes the newest versions instead of those pinned now."""
    for lock, sources in LOCKS.items():
        command = [sys.executable, "-m", *COMPILE, *sources, "--output-file", lock, *sys.argv[1:]]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        text = (ROOT / lock).read_text()
        if "://" in text:
            sys.exit(f"{lock} names an address; remove it from your uv settings and try again.")
        print(f"{lock}: {text.count('==')} packages")


if __name__ == "__main__":
    main()
