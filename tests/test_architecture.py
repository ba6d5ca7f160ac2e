"""The rules of the house (docs/architecture.md) that a machine can check."""

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("core", "auth", "rooms", "storage", "realtime", "scheduler", "notifications", "loadtest")
MAX_LINES = 400
EMPTY_WORDS = {"Manager", "Helper", "Helpers", "Util", "Utils", "Base", "Misc", "Common"}


def files(*suffixes: str, under: Path = ROOT) -> Iterator[Path]:
    """Yield source files, leaving out the folders that .gitignore names."""
    lines = (ROOT / ".gitignore").read_text().split()
    ignored = {".git", *(line.rstrip("/").rpartition("/")[2] for line in lines if line.endswith("/"))}
    for path in sorted(under.iterdir()):
        if path.is_dir() and path.name not in ignored:
            yield from files(*suffixes, under=path)
        elif path.suffix in suffixes:
            yield path


def modules(*packages: str) -> Iterator[tuple[str, ast.Module]]:
    """Yield the path from the root and the syntax tree of each module of `packages`."""
    for package in packages:
        if (ROOT / package).is_dir():
            for path in files(".py", under=ROOT / package):
                yield str(path.relative_to(ROOT)), ast.parse(path.read_text())


def imports(tree: ast.Module) -> set[str]:
    """Return the top-level names of the packages that a module imports."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the import-linter in `folder`."""
    code = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True, no_logo=True))"
    return subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)


def reads_environment(node: ast.AST) -> bool:
    """Whether `node` is one of the ways to read an environment variable."""
    match node:
        case ast.Attribute(value=ast.Name(id="os"), attr="environ" | "environb" | "getenv"):
            return True
        case ast.ImportFrom(module="os", names=names):
            return any(alias.name in {"environ", "environb", "getenv"} for alias in names)
        case ast.keyword(arg="envvar"):
            return True
    return False


def test_files_stay_small() -> None:
    """No file that people write is longer than 400 lines: beyond that it is more than one thing."""
    long = {
        str(path.relative_to(ROOT)): lines
        for path in files(".py", ".ts", ".tsx")
        if ".gen." not in path.name and (lines := len(path.read_text().splitlines())) > MAX_LINES
    }
    assert {} == long


def test_imports_point_inwards() -> None:
    """The contracts in pyproject.toml hold: layers, a domain without drivers, siblings that do not meet."""
    result = lint_imports(ROOT)
    assert 0 == result.returncode, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("core/bad.py", "import auth"),
        ("auth/bad.py", "import rooms"),
        ("rooms/bad.py", "import storage"),
        ("rooms/bad.py", "import scheduler"),
        ("storage/bad.py", "import realtime"),
        ("auth/bad.py", "import sqlite3"),
        ("rooms/bad.py", "from aiohttp import web"),
        ("storage/bad.py", "import socketio"),
        ("realtime/handlers/bad.py", "import storage"),
        ("realtime/http/bad.py", "import socketio"),
        ("realtime/contract/bad.py", "import realtime.engine"),
        ("loadtest/bad.py", "import auth"),
        ("loadtest/bad.py", "import realtime.engine"),
        ("loadtest/bad.py", "import realtime.cli"),
        ("realtime/handlers/bad.py", "import loadtest"),
    ],
)
def test_the_import_contracts_bite(tmp_path: Path, file: str, line: str) -> None:
    """An import against the direction breaks a contract, so a green run means something."""
    parts = [f"realtime/{part}" for part in ("handlers", "http", "contract", "engine", "cluster")]
    for package in (*PACKAGES, *parts):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").touch()
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    sound = lint_imports(tmp_path)
    (tmp_path / file).write_text(line + "\n")
    broken = lint_imports(tmp_path)
    assert (0, 1) == (sound.returncode, broken.returncode), sound.stdout + broken.stdout
    assert file.removesuffix(".py").replace("/", ".") in broken.stdout


def test_names_say_something() -> None:
    """No class or module is called a manager, a helper or a base: such names hide what the thing is."""
    empty = []
    for path, tree in modules(*PACKAGES, "tests", "bench", "scripts"):
        words = {word.capitalize() for word in Path(path).stem.split("_")}
        empty += [path] if words & EMPTY_WORDS - {"Base"} else []
        classes = [node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
        empty += [f"{path}: {name}" for name in classes if EMPTY_WORDS & set(re.findall("[A-Z][a-z]+", name))]
    assert [] == empty


def test_only_config_reads_the_environment() -> None:
    """Every setting is in realtime/config.py: nothing else looks at an environment variable."""
    readers = {path for path, tree in modules(*PACKAGES) if any(reads_environment(node) for node in ast.walk(tree))}
    settings = {path for path, tree in modules(*PACKAGES) if "pydantic_settings" in imports(tree)}
    assert readers | settings <= {"realtime/config.py"}


def test_only_the_sqlite_adapter_knows_sqlite() -> None:
    """The database driver is imported in storage/sqlite/ and nowhere else."""
    knowing = {path for path, tree in modules(*PACKAGES) if "sqlite3" in imports(tree)}
    assert set() == {path for path in knowing if not path.startswith("storage/sqlite/")}


def test_migrations_are_numbered_without_gaps() -> None:
    """Migrations are called 0001_name.sql, 0002_name.sql, …, so that their order is plain and two never share one."""
    names = [path.name for path in files(".sql") if path.parent.name == "migrations"]
    assert [] == [name for name in names if not re.fullmatch(r"\d{4}_[a-z0-9_]+\.sql", name)]
    assert list(range(1, len(names) + 1)) == [int(name[:4]) for name in names]
