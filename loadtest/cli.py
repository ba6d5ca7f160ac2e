"""The `loadtest` command: run a scenario, list what there is, compare two results."""

import os
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from typer.core import TyperGroup

if TYPE_CHECKING:
    from loadtest.report.result import Result
    from loadtest.run.options import Mint, Options, Watch

RESULTS = Path("loadtest-results")
USAGE = 2
INTERRUPTED = 130
STATUS = {"passed": 0, "failed": 1, "invalid": 3, "unreachable": 4}

_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s?)?")

Scenario = Annotated[str, typer.Argument(help="A scenario's name (`list` shows them), or the path of a .toml file.")]
Url = Annotated[str, typer.Option(help="The server.")]
Scale = Annotated[float, typer.Option(help="Multiplies how many people and how much traffic; never times.")]
Workers = Annotated[int | None, typer.Option(min=1, max=64, help="Processes; if not given, as many as people need.")]
Way = Literal["websocket", "polling", "upgrade", "mixed"]
Transport = Annotated[Way, typer.Option(help="How people connect; mixed: half by upgrade, half by websocket.")]
Duration = Annotated[str | None, typer.Option(help="How long the load lasts, such as 90s, 5m or 4h.")]
Ramp = Annotated[str | None, typer.Option(help="How long everyone takes to come in.")]
Set = Annotated[list[str] | None, typer.Option("--set", help="Change a field: load_s=30, or chats.pairs=50.")]
FailIf = Annotated[list[str] | None, typer.Option(help="A threshold beside the scenario's: 'delivery.p99>100ms'.")]
Out = Annotated[Path, typer.Option(help="Folder for the report and the JSON file.")]
Html = Annotated[Path | None, typer.Option(help="Where to write the report instead.")]
Json = Annotated[Path | None, typer.Option(help="Where to write the JSON file instead.")]
Key = Annotated[str | None, typer.Option(help="The server's service key, to have it make tokens.")]
Pid = Annotated[int | None, typer.Option(help="The server's process, if it is not found by its port.")]
Seed = Annotated[int | None, typer.Option(help="What all random choices come from.")]
Only = Annotated[str | None, typer.Argument(help="Only this one, with its fields.")]
NoLive = Annotated[bool, typer.Option("--no-live", help="Show nothing until the end.")]


class RunByDefault(TyperGroup):
    """A group whose command `run` need not be written."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] != "--help":
            args = ["run", *args]
        return super().parse_args(ctx, args)


def command(mint: "Callable[[], Mint | None]") -> typer.Typer:
    """Return the command. `mint` is asked, when no service key is given, for a way to make tokens; None: there is none.

    `mint` may exit with a message of its own.
    """
    app = typer.Typer(
        cls=RunByDefault,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        help="Play a school on a server and tell the truth about it: loadtest SCENARIO, or one of these commands.",
    )

    @app.command()
    def run(
        scenario: Scenario,
        url: Url = "http://127.0.0.1:8080",
        scale: Scale = 1.0,
        workers: Workers = None,
        transport: Transport = "websocket",
        duration: Duration = None,
        ramp: Ramp = None,
        changes: Set = None,
        fail_if: FailIf = None,
        out: Out = RESULTS,
        html: Html = None,
        json: Json = None,
        service_key: Key = None,
        server_pid: Pid = None,
        seed: Seed = None,
        no_live: NoLive = False,
    ) -> None:
        """Run a scenario. Exit status: 0 passed, 1 failed, 2 bad usage, 3 not valid, 4 nobody got in, 130 Ctrl-C."""
        from loadtest.run.options import Options  # noqa: PLC0415 - `homeroom --help` need not load all this

        named = [("load_s", _seconds("--duration", duration)), ("ramp_s", _seconds("--ramp", ramp)), ("seed", seed)]
        settings = [*(changes or []), *(f"{name}={value}" for name, value in named if value is not None)]
        options = Options(
            scenario=_scenario(scenario, scale, settings),
            target=_target(url, transport),
            workers=workers,
            service_key=service_key,
            server_pid=server_pid,
            fail_if=tuple(fail_if or ()),
        )
        stem = out / f"{options.scenario.name}-{time.strftime('%Y%m%d-%H%M%S')}"
        paths = (html or stem.with_suffix(".html"), json or stem.with_suffix(".json"))
        _run(options, None if service_key else _minting(mint), paths, live=not no_live)

    @app.command("list")
    def list_scenarios(name: Only = None) -> None:
        """Show the scenarios, and what can be set."""
        from loadtest.scenarios.listing import fields, overview  # noqa: PLC0415 - as above

        Console(highlight=False).print(overview() if name is None else fields(_scenario(name, 1.0, [])))

    @app.command()
    def compare(
        before: Annotated[Path, typer.Argument(help="The JSON file of a run.")],
        after: Annotated[Path, typer.Argument(help="The JSON file of another run.")],
    ) -> None:
        """Show what differs between two runs."""
        from loadtest.report.compare import table  # noqa: PLC0415 - as above

        Console(highlight=False).print(table(_result(before), _result(after)))

    return app


def _run(options: "Options", mint: "Mint | None", paths: Sequence[Path], *, live: bool) -> NoReturn:
    from loadtest.report.html import page  # noqa: PLC0415 - as above
    from loadtest.report.live import Live  # noqa: PLC0415 - as above
    from loadtest.report.summary import print_summary  # noqa: PLC0415 - as above
    from loadtest.run.run import NotReady, run  # noqa: PLC0415 - as above

    _check_writable(paths)
    console = Console(highlight=False)
    watch: Watch | None = (lambda info: Live(console, info)) if live else None
    try:
        result = run(options, mint, watch)
    except NotReady as exc:
        _fail(str(exc))
    print_summary(console, result, paths)
    _write(result, page(result), paths)
    raise typer.Exit(INTERRUPTED if result.stopped_early else STATUS[result.verdict])


def _write(result: "Result", page: str, paths: Sequence[Path]) -> None:
    html, json = paths
    try:
        for path in paths:
            path.parent.mkdir(parents=True, exist_ok=True)
        json.write_text(result.model_dump_json(indent=1), encoding="utf-8")
        html.write_text(page, encoding="utf-8")
    except OSError as exc:
        _fail(f"{exc.filename}: {exc.strerror}")


def _check_writable(paths: Sequence[Path]) -> None:
    """Find out now, and not after hours, that the files could not be written."""
    for path in paths:
        folder = next(parent for parent in path.absolute().parents if parent.exists())
        if path.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
            _fail(f"{path}: cannot be written")


def _scenario(name: str, scale: float, changes: Sequence[str]) -> Any:
    from loadtest.scenarios.loader import load  # noqa: PLC0415 - as above
    from loadtest.scenarios.scenario import BadScenario  # noqa: PLC0415 - as above

    try:
        return load(name, scale=scale, changes=changes)
    except BadScenario as exc:
        _fail(str(exc))


def _target(url: str, transport: Way) -> Any:
    from loadtest.client.target import BadTarget, parse_target  # noqa: PLC0415 - as above

    try:
        return parse_target(url, transport)
    except BadTarget as exc:
        _fail(str(exc))


def _minting(mint: "Callable[[], Mint | None]") -> "Mint":
    found = mint()
    if found is None:
        _fail("--service-key KEY is needed: without the server's settings no tokens can be made here.")
    return found


def _result(path: Path) -> "Result":
    from pydantic import ValidationError  # noqa: PLC0415 - as above

    from loadtest.report.result import Result  # noqa: PLC0415 - as above

    try:
        return Result.model_validate_json(path.read_bytes())
    except OSError as exc:
        _fail(f"{path}: {exc.strerror}")
    except ValidationError as exc:
        first = exc.errors()[0]
        _fail(f"{path}: not the JSON file of a run: {'.'.join(map(str, first['loc']))}: {first['msg']}")


def _seconds(option: str, text: str | None) -> float | None:
    if text is None:
        return None
    match = _DURATION.fullmatch(text)
    if match is None or not any(match.groups()):
        _fail(f"{option} {text}: write a time such as 90s, 5m or 1h30m")
    hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return hours * 3600 + minutes * 60 + seconds


def _fail(message: str) -> NoReturn:
    Console(stderr=True, highlight=False, soft_wrap=True).print(f"[red]loadtest:[/] {escape(message)}")
    raise typer.Exit(USAGE)
