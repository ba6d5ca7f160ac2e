"""The `homeroom` command."""

import asyncio
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

from auth.errors import SettingRefused
from auth.keys import KEY_FILE
from auth.tokens import TokenMinter
from auth.types import Role, User
from core.clock import SystemClock
from core.errors import HomeroomError
from core.ids import UserId
from loadtest.cli import command as loadtest_command
from realtime import demo as demo_school
from realtime import doctor as checks
from realtime.app import VERSION, signing_key
from realtime.config import Settings, load
from realtime.lifecycle import Prepare, Server, StartRefused, prepare_data_dir, run, store_path
from realtime.observe import configure_logs
from storage.errors import StoreError
from storage.sqlite.schema import migrate as migrate_store

if TYPE_CHECKING:
    from loadtest.client.tokens import User as SimulatedUser
    from loadtest.run.options import Mint

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Homeroom, the real-time server of online schools. Settings are HOMEROOM_* variables; see docs/operating.md.",
)
out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

HostOption = Annotated[str | None, typer.Option(help="Address to listen on [HOMEROOM_HOST, 127.0.0.1].")]
PortOption = Annotated[int | None, typer.Option(help="Port to listen on, 0 for a free one [HOMEROOM_PORT, 8080].")]
DataOption = Annotated[Path | None, typer.Option(help="Data directory [HOMEROOM_DATA_DIR, ./data].")]
WorkersOption = Annotated[int, typer.Option(min=1, help="Processes; this version runs one.")]

_DURATION = re.compile(r"(\d+)([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@app.command()
def serve(
    host: HostOption = None, port: PortOption = None, data_dir: DataOption = None, workers: WorkersOption = 1
) -> None:
    """Run the server until SIGTERM or Ctrl-C, which drain it."""
    settings = _settings(host=host, port=port, data_dir=data_dir)
    _one_worker(workers)

    def started(server: Server) -> None:
        err.print(f"Homeroom {VERSION} serves [bold]{server.url}[/]")

    _run(settings, started)


@app.command()
def demo(
    host: HostOption = None, port: PortOption = None, data_dir: DataOption = None, workers: WorkersOption = 1
) -> None:
    """Run the server with a demo school, and print a sign-in link for each of its people."""
    settings = _settings(host=host, port=port, data_dir=data_dir)
    _one_worker(workers)

    def started(server: Server) -> None:
        out.print(f"\n[bold]The demo school is open at {server.url}[/]\n")
        for user, link in demo_school.links(server.app, server.url):
            out.print(f"  {user.name:<16} {user.role.value:<8} [dim]{user.id}[/]\n    {link}")
        out.print("\nOpen two links in two windows and chat. Ctrl-C stops the school; `make run` opens it again.\n")

    _run(settings, started, demo_school.furnish)


@app.command()
def token(
    user: Annotated[str, typer.Option(help="The user's id: the token's `sub`.")],
    role: Annotated[Role, typer.Option(help="The user's role.")],
    name: Annotated[str | None, typer.Option(help="The user's name [the id].")] = None,
    ttl: Annotated[str, typer.Option(help="Life of the token, such as 90s, 15m, 1h or 7d.")] = "1h",
    data_dir: DataOption = None,
) -> None:
    """Print one access token, and nothing else, on standard output."""
    settings = _settings(data_dir=data_dir)
    try:
        prepare_data_dir(settings)
        minter = TokenMinter(signing_key(settings), SystemClock())
        access, _ = minter.mint(User(UserId(user), name or user, role), _duration(ttl))
    except (SettingRefused, StartRefused) as exc:
        _fail(str(exc), 1)
    except HomeroomError as exc:
        _fail(exc.message, 2)
    except OverflowError:
        _fail(f"--ttl {ttl}: no token lives that long.", 2)
    typer.echo(access)


@app.command()
def migrate(data_dir: DataOption = None) -> None:
    """Bring the database to this version's schema. `serve` does so too when it starts."""
    settings = _settings(data_dir=data_dir)
    try:
        prepare_data_dir(settings)
        applied = migrate_store(store_path(settings))
    except (StoreError, StartRefused) as exc:
        _fail(str(exc), 1)
    for step in applied:
        out.print(f"applied {step}")
    out.print(f"The database {store_path(settings)} is up to date.", markup=False)


@app.command()
def doctor(data_dir: DataOption = None) -> None:
    """Check the settings and what they point at, and say in words what is wrong. Exit status 1 if anything is."""
    settings = _settings(data_dir=data_dir)
    findings = asyncio.run(checks.examine(settings))
    marks = {"ok": "[green]ok[/]  ", "warn": "[yellow]warn[/]", "bad": "[red]bad[/] "}
    for finding in findings:
        out.print(f"{marks[finding.level]}  {escape(finding.text)}")
    if any(finding.level == "bad" for finding in findings):
        raise typer.Exit(1)


def _own_tokens() -> "Mint | None":
    """Return how to make tokens that a server with the settings of this shell accepts; None without its key."""
    settings = _settings()
    if settings.jwt_secret is None and not (settings.data_dir / "keys" / KEY_FILE).exists():
        return None
    try:
        minter = TokenMinter(signing_key(settings), SystemClock())
    except SettingRefused as exc:
        _fail(str(exc), 2)

    def mint(user: "SimulatedUser", ttl_s: float) -> str:
        person = User(UserId(user.id), user.name, Role(user.role))
        return minter.mint(person, timedelta(seconds=ttl_s))[0]

    return mint


app.add_typer(loadtest_command(_own_tokens), name="loadtest")


def main() -> None:
    """Run the command line."""
    app(prog_name="homeroom")


def _settings(**flags: Any) -> Settings:
    try:
        settings = load(**flags)
    except SettingRefused as exc:
        _fail(str(exc), 2)
    configure_logs(settings.log_level, settings.log_format)
    return settings


def _one_worker(workers: int) -> None:
    if workers > 1:
        _fail("--workers: this version runs one process; several need a cluster, which is not there yet.", 2)


def _run(settings: Settings, started: Callable[[Server], None], prepare: Prepare | None = None) -> None:
    try:
        run(settings, started, prepare)
    except StartRefused as exc:
        _fail(str(exc), exc.status)


def _duration(text: str) -> timedelta:
    match = _DURATION.fullmatch(text)
    if match is None:
        _fail(f"--ttl {text}: write a number and s, m, h or d, such as 15m.", 2)
    try:
        return timedelta(**{_UNITS[match[2]]: int(match[1])})
    except OverflowError:
        _fail(f"--ttl {text}: no token lives that long.", 2)


def _fail(message: str, status: int) -> NoReturn:
    err.print(f"[red]homeroom:[/] {escape(message)}")
    raise typer.Exit(status)


if __name__ == "__main__":
    main()
