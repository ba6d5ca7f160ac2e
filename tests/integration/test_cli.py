"""The `homeroom` command as operators use it."""

import re
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from realtime.demo import PEOPLE, SCENES
from tests.support.person import Json, Refused, connected
from tests.support.process import Homeroom, assert_refused, run_homeroom, serving

SECRET = "a shared secret of this school, 32 bytes or more"
COMMANDS = ["serve", "demo", "token", "migrate", "doctor"]
ADA = ("token", "--user", "ada", "--role", "student")


def lines_of(ended: subprocess.CompletedProcess[str]) -> list[str]:
    """Return what a command printed; it must have succeeded and complained about nothing."""
    assert (0, "") == (ended.returncode, ended.stderr)
    return ended.stdout.splitlines()


async def signed_in(homeroom: Homeroom, token: str) -> Json:
    """Connect with a token; return who one is then."""
    async with connected(homeroom.url, "someone", token) as person:
        user: Json = person.seen("ready")[0]["user"]
        return user


@pytest.mark.parametrize(
    "command", [[], *([command] for command in COMMANDS)], ids=lambda command: " ".join(command) or "homeroom"
)
def test_help_explains(tmp_path: Path, command: list[str]) -> None:
    """`--help` prints the usage and ends well; the command's own help lists every command."""
    text = "\n".join(lines_of(run_homeroom(*command, "--help", cwd=tmp_path)))
    assert "Usage: homeroom" in text
    assert [] == [name for name in COMMANDS if not command and name not in text]


@pytest.mark.parametrize("arguments", [["nonsense"], ["serve", "--port", "x"], ["token", "--user", "ada"]])
def test_wrong_usage_is_explained(tmp_path: Path, arguments: list[str]) -> None:
    """What cannot be understood is answered with the usage and exit status 2."""
    ended = run_homeroom(*arguments, cwd=tmp_path)
    assert (2, "") == (ended.returncode, ended.stdout)
    assert "Usage: homeroom" in ended.stderr
    assert "Traceback" not in ended.stderr


async def test_a_token_opens_the_door(tmp_path: Path) -> None:
    """`homeroom token` prints one token and nothing else; the server takes it, name and role included."""
    arguments = ("token", "--user", "ms-rao", "--role", "teacher", "--name", "Ms Rao", "--ttl", "90s")
    (token,) = lines_of(run_homeroom(*arguments, cwd=tmp_path))
    async with serving(tmp_path / "data") as homeroom:
        user = await signed_in(homeroom, token)
    assert {"id": "ms-rao", "name": "Ms Rao", "role": "teacher"}.items() <= user.items()


async def test_a_shared_secret_signs_tokens(tmp_path: Path) -> None:
    """With HOMEROOM_JWT_SECRET, command and server agree on the secret; a token of another secret is refused."""
    (token,) = lines_of(run_homeroom(*ADA, cwd=tmp_path, HOMEROOM_JWT_SECRET=SECRET))
    (forged,) = lines_of(run_homeroom(*ADA, cwd=tmp_path, HOMEROOM_JWT_SECRET=SECRET[::-1]))
    async with serving(tmp_path / "data", HOMEROOM_JWT_SECRET=SECRET) as homeroom:
        assert "ada" == (await signed_in(homeroom, token))["id"]
        with pytest.raises(Refused, match=r"auth\.invalid_token"):
            await signed_in(homeroom, forged)
    assert not (tmp_path / "data/keys").exists()


@pytest.mark.parametrize("ttl", ["0s", "1", "h", "1w", "-1h", "999999999d", "99999999999999999d"])
def test_a_life_that_no_token_can_have_is_refused(tmp_path: Path, ttl: str) -> None:
    """A `--ttl` without a unit, of nothing, or beyond the calendar is answered in one line."""
    assert_refused(run_homeroom(*ADA, "--ttl", ttl, cwd=tmp_path))


@pytest.mark.parametrize("user_id", ["", "a" * 129, "a\nb"])
def test_an_id_that_no_user_can_have_is_refused(tmp_path: Path, user_id: str) -> None:
    """Ids are 1 to 128 visible characters."""
    assert_refused(run_homeroom("token", "--user", user_id, "--role", "student", cwd=tmp_path), "128")


def test_migrate_says_what_it_did(tmp_path: Path) -> None:
    """The first run applies the schema, the second has nothing to do; both say where, brackets in the path and all."""
    first = lines_of(run_homeroom("migrate", "--data-dir", "school [old]", cwd=tmp_path))
    assert first[0].startswith("applied 0001")
    assert ["The database school [old]/homeroom.db is up to date."] == first[-1:]
    assert first[-1:] == lines_of(run_homeroom("migrate", "--data-dir", "school [old]", cwd=tmp_path))


def test_migrate_refuses_in_words(tmp_path: Path) -> None:
    """Where there is no place for a database, one line says so."""
    assert_refused(run_homeroom("migrate", "--data-dir", "/proc/homeroom", cwd=tmp_path), "/proc/homeroom")


def test_doctor_finds_a_good_installation_good(tmp_path: Path) -> None:
    """On a fresh directory nothing is bad, each line says what was looked at, and the exit status is 0."""
    lines = lines_of(run_homeroom("doctor", cwd=tmp_path, HOMEROOM_PORT="0"))
    assert set() == {line.split()[0] for line in lines} - {"ok", "warn"}
    assert [] == [
        word for word in ("settings", "data directory", "database", "signed", "web app") if word not in str(lines)
    ]


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("HOMEROOM_STORE", "postgres://db", "HOMEROOM_STORE"),
        ("HOMEROOM_CLUSTER", "memcached://there", "HOMEROOM_CLUSTER"),
        ("HOMEROOM_DATA_DIR", "/proc/homeroom", "/proc/homeroom"),
        ("HOMEROOM_DATA_DIR", "/proc/[/homeroom]", "/proc/[/homeroom]"),
        ("HOMEROOM_JWT_SECRET", "too short", "32 bytes"),
        ("HOMEROOM_JWT_ISSUERS", "nonsense", "HOMEROOM_JWT_ISSUERS"),
        ("HOMEROOM_JWT_ISSUERS", "http://127.0.0.1:1", "127.0.0.1:1"),
    ],
)
def test_doctor_says_what_is_wrong(tmp_path: Path, name: str, value: str, word: str) -> None:
    """Each thing that would keep the server from working is a `bad` line that names it; the rest is still looked at."""
    ended = run_homeroom("doctor", cwd=tmp_path, **{"HOMEROOM_PORT": "0", name: value})
    assert (1, "") == (ended.returncode, ended.stderr)
    lines = ended.stdout.splitlines()
    assert [] != [line for line in lines if line.startswith("bad") and word in line], ended.stdout
    assert [] != [line for line in lines if "web app" in line]


def test_doctor_finds_a_damaged_database(tmp_path: Path) -> None:
    """A database that cannot be opened is bad, in words."""
    assert 0 == run_homeroom("migrate", cwd=tmp_path).returncode
    with closing(sqlite3.connect(tmp_path / "data/homeroom.db")) as database, database:
        database.execute("UPDATE schema_migrations SET checksum = 'other'")
    ended = run_homeroom("doctor", cwd=tmp_path)
    assert (1, "") == (ended.returncode, ended.stderr)
    assert "edited after it was applied" in ended.stdout


async def test_the_demo_school_is_made_once(tmp_path: Path) -> None:
    """`demo` prints a link for each person that signs them in; started again, it has the same rooms and messages."""
    async with serving(tmp_path / "data", command="demo") as homeroom:
        first = await rooms_by_person(homeroom)
        await homeroom.stop()
        await homeroom.start()
        assert first == await rooms_by_person(homeroom)
    assert {str(person.id) for person in PEOPLE} == first.keys()
    assert len(SCENES) == len({room["id"] for rooms in first.values() for room in rooms})
    assert 0 < min(room["last_seq"] for rooms in first.values() for room in rooms)


async def rooms_by_person(homeroom: Homeroom) -> dict[str, list[Json]]:
    """Follow each printed link; return the rooms that each person has."""
    await homeroom.says("Ctrl-C")
    found = {}
    links = re.findall(rf"{re.escape(homeroom.url)}/#token=(\S+)", homeroom.printed)
    for token in links:
        async with connected(homeroom.url, "someone", token) as person:
            user_id = person.seen("ready")[0]["user"]["id"]
            found[user_id] = (await person.ok("room:list", {}))["rooms"]
    assert len(PEOPLE) == len(links) == len(found)
    return found
