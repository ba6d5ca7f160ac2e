"""What keeps the server from starting is one readable line, and an exit status, never a traceback."""

import socket
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.process import HOMEROOM, assert_refused, clean_environment, run_homeroom

SETTINGS = [
    ("HOMEROOM_STORE", "postgres://db/homeroom", "HOMEROOM_STORE"),
    ("HOMEROOM_STORE", "sqlite:///", "HOMEROOM_STORE"),
    ("HOMEROOM_CLUSTER", "memcached://there", "HOMEROOM_CLUSTER"),
    ("HOMEROOM_PORT", "eighty", "HOMEROOM_PORT"),
    ("HOMEROOM_PORT", "70000", "HOMEROOM_PORT"),
    ("HOMEROOM_HOST", "300.1.1.1", "300.1.1.1"),
    ("HOMEROOM_HOST", "school..example", "school..example"),
    ("HOMEROOM_LOG_LEVEL", "loud", "HOMEROOM_LOG_LEVEL"),
    ("HOMEROOM_DRAIN_S", "-1", "HOMEROOM_DRAIN_S"),
    ("HOMEROOM_LIMITS_BODY_CHARS", "0", "HOMEROOM_LIMITS_BODY_CHARS"),
    ("HOMEROOM_LIMITS_EVENTS_PER_S", "fast", "HOMEROOM_LIMITS_EVENTS_PER_S"),
    ("HOMEROOM_LIMITS", "none", "HOMEROOM_LIMITS"),
    ("HOMEROOM_JWT_SECRET", "too short", "HOMEROOM_JWT_SECRET"),
    ("HOMEROOM_JWT_ISSUERS", "nonsense", "HOMEROOM_JWT_ISSUERS"),
    ("HOMEROOM_PUBLIC_URL", "http://[", "HOMEROOM_PUBLIC_URL"),
    ("HOMEROOM_TRUSTED_PROXIES", "10.0.0.0/8,nonsense", "HOMEROOM_TRUSTED_PROXIES"),
    ("HOMEROOM_PROXY_PROTOCOL", "1", "HOMEROOM_TRUSTED_PROXIES"),
]


@pytest.mark.parametrize(("name", "value", "words"), SETTINGS, ids=[f"{name}={value}" for name, value, _ in SETTINGS])
def test_a_bad_setting_is_named(tmp_path: Path, name: str, value: str, words: str) -> None:
    """A setting that cannot be used is named on standard error."""
    arguments = [] if name == "HOMEROOM_PORT" else ["--port", "0"]
    assert_refused(run_homeroom("serve", *arguments, cwd=tmp_path, **{name: value}), words)


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    """Where another program listens, the port and the way out are named."""
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = str(other.getsockname()[1])
        assert_refused(run_homeroom("serve", "--port", port, cwd=tmp_path), port, "taken", "--port")


@pytest.mark.parametrize("where", ["a-file", "a-file/below", "/proc/homeroom", "a-file/[/bold]"])
def test_a_data_directory_that_cannot_be_made_is_named(tmp_path: Path, where: str) -> None:
    """A file in the way, a place where even root cannot write, brackets in the name: the path is shown as it is."""
    (tmp_path / "a-file").touch()
    assert_refused(run_homeroom("serve", "--port", "0", "--data-dir", where, cwd=tmp_path), where)


def test_a_damaged_database_is_named(tmp_path: Path) -> None:
    """A file that is no database is refused and left as it is."""
    database = tmp_path / "data/homeroom.db"
    database.parent.mkdir()
    database.write_bytes(b"not a database" * 1000)
    assert_refused(run_homeroom("serve", "--port", "0", cwd=tmp_path), "homeroom.db", "not a database")
    assert b"not a database" * 1000 == database.read_bytes()


def test_a_newer_database_is_left_alone(tmp_path: Path) -> None:
    """A database of a later version is refused with the advice to install that version."""
    assert 0 == run_homeroom("migrate", cwd=tmp_path).returncode
    with closing(sqlite3.connect(tmp_path / "data/homeroom.db")) as database, database:
        database.execute("INSERT INTO schema_migrations VALUES (9999, '9999_later', '', 0)")
    assert_refused(run_homeroom("serve", "--port", "0", cwd=tmp_path), "9999", "newer")


def test_a_signing_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    """A key with open permissions may have been copied: the operator is told what to do."""
    assert 0 == run_homeroom("token", "--user", "ada", "--role", "student", cwd=tmp_path).returncode
    (key,) = (tmp_path / "data/keys").iterdir()
    key.chmod(0o644)
    assert_refused(run_homeroom("serve", "--port", "0", cwd=tmp_path), "chmod 600")


def test_several_workers_are_refused(tmp_path: Path) -> None:
    """This version runs one process, and says so instead of ignoring the wish."""
    assert_refused(run_homeroom("serve", "--port", "0", "--workers", "2", cwd=tmp_path), "--workers")


@pytest.mark.parametrize(("files", "words"), [(300, "300 files"), (5000, "5000 files may be open at once")])
def test_doctor_says_how_many_connections_there_may_be(tmp_path: Path, files: int, words: str) -> None:
    """Few open files are a warning that says how to raise them; nothing is refused for that."""
    command = f"ulimit -n {files} && exec {HOMEROOM} doctor"
    environment = clean_environment(HOMEROOM_PORT="0")
    ended = subprocess.run(
        ["sh", "-c", command], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=30, check=False
    )
    (line,) = [line for line in ended.stdout.splitlines() if "files may be open" in line]
    assert (0, "warn" if files == 300 else "ok") == (ended.returncode, line.split()[0])
    assert words in line
