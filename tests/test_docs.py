"""What is not documented is not there: each thing a client or an operator can name has its place in docs/."""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from core.errors import ERRORS
from loadtest.behaviours.classroom import ClassroomFields
from loadtest.behaviours.registry import BEHAVIOURS
from loadtest.measure.names import Metric
from loadtest.report.result import Truth
from loadtest.scenarios.loader import shipped
from realtime.cli import app
from realtime.config import Limits, Settings
from realtime.contract.registry import CLIENT_EVENTS, SERVER_EVENTS
from realtime.http.routes import ROUTES
from tests.test_architecture import ROOT, files

API = (ROOT / "docs/api.md").read_text()
OPERATING = (ROOT / "docs/operating.md").read_text()
LOADTEST = (ROOT / "docs/loadtest.md").read_text()
PAGES = sorted(files(".md"))
GUIDES = [page for page in PAGES if page.parent.name != "adr"]  # a decision may name what was there when it was made
CODE_PATH = re.compile(r"`((?:core|auth|rooms|storage|realtime|loadtest|web|tests|bench|scripts|docs)/[\w./-]*)`")
METRIC = re.compile(r"\"(homeroom_[a-z_]+)\"")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)|src=\"([^\"]+)\"")


def rows(page: str) -> dict[str, list[str]]:
    """Return the cells of each table row whose first cell is a name in backticks, by each name in that cell."""
    found: dict[str, list[str]] = {}
    for line in page.splitlines():
        if line.startswith("| `"):
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            found |= dict.fromkeys(re.findall(r"`([^`]+)`", cells[0]), cells[1:])
    return found


def undocumented(names: Iterable[str], page: str) -> list[str]:
    """Return the names without a table row in `page`."""
    documented = rows(page)
    return [name for name in names if name not in documented]


def settings() -> dict[str, str]:
    """Return the environment name of each setting and how its default is written down."""
    found: dict[str, str] = {}
    for model in (Settings, Limits):
        for name, field in model.model_fields.items():
            if name == "limits":
                continue
            default = field.default
            text = str(int(default)) if isinstance(default, bool) else "" if default is None else str(default)
            found[f"{model.model_config['env_prefix']}{name}".upper()] = f"`{text}`" if text else ""
    return found


def slugs(page: str) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_setting_is_documented_with_its_default() -> None:
    """The table in operating.md has each setting, and the default it names is the one in the code."""
    documented = rows(OPERATING)
    assert [] == undocumented(settings(), OPERATING)
    assert {} == {name: default for name, default in settings().items() if documented[name][0] != default}


def test_no_setting_is_documented_that_does_not_exist() -> None:
    """An operator who sets what the page names is heard."""
    named = set(re.findall(r"HOMEROOM_[A-Z0-9_]*[A-Z0-9]", "".join(page.read_text() for page in PAGES)))
    assert set() == named - set(settings()) - {"HOMEROOM_LIMITS"}


@pytest.mark.parametrize("events", [CLIENT_EVENTS, SERVER_EVENTS], ids=["client", "server"])
def test_every_event_is_documented(events: dict[str, object]) -> None:
    """api.md has a row for each event of the registry."""
    assert [] == undocumented(events, API)


def test_every_error_is_documented_as_it_is() -> None:
    """api.md has each code, with the status and the retryability it really has."""
    assert [] == undocumented(ERRORS, API)
    real = {code: [str(spec.status), "yes" if spec.retryable else "no"] for code, spec in ERRORS.items()}
    assert {} == {code: facts for code, facts in real.items() if rows(API)[code][:2] != facts}


def test_every_route_is_documented() -> None:
    """api.md or operating.md has a row for each method and path that the server answers."""
    assert [] == undocumented([f"{route.method} {route.path}" for route in ROUTES], API + "\n" + OPERATING)


def test_every_metric_is_documented() -> None:
    """operating.md has a row for each metric of ours, by the name under which Prometheus sees it."""
    names = {name for path in files(".py", under=ROOT / "realtime") for name in METRIC.findall(path.read_text())}
    documented = rows(OPERATING)
    assert [] == [name for name in sorted(names) if not {name, f"{name}_total"} & set(documented)]


def test_every_command_is_documented() -> None:
    """operating.md has a row for each command and each of its options."""
    root = get_command(app)
    assert isinstance(root, TyperGroup)
    told = rows(OPERATING)
    missing = [f"homeroom {name}" for name in root.commands if f"homeroom {name}" not in told]
    for name, command in root.commands.items():
        options = {option for parameter in command.params for option in parameter.opts if option.startswith("--")}
        missing += [
            f"{name} {option}" for option in sorted(options) if f"`{option}" not in str(told.get(f"homeroom {name}"))
        ]
    assert [] == missing


def test_every_option_of_the_load_tester_is_documented() -> None:
    """loadtest.md names each command of `homeroom loadtest` and each option of a run."""
    root = get_command(app)
    assert isinstance(root, TyperGroup)
    loadtest = root.commands["loadtest"]
    assert isinstance(loadtest, TyperGroup)
    options = {option for parameter in loadtest.commands["run"].params for option in parameter.opts if "--" in option}
    assert [] == [option for option in sorted(options - {"--help"}) if f"`{option}`" not in LOADTEST]
    assert [] == [name for name in loadtest.commands if f"homeroom loadtest {name}" not in LOADTEST]


def test_every_scenario_and_behaviour_is_documented() -> None:
    """loadtest.md has a row for each scenario, and for each behaviour with its fields."""
    told = rows(LOADTEST)
    assert [] == undocumented(shipped(), LOADTEST)
    shared = set(ClassroomFields.model_fields)
    missing = [
        f"{name}.{field}"
        for name, kind in BEHAVIOURS.items()
        for field in set(kind.Fields.model_fields) - (shared if issubclass(kind.Fields, ClassroomFields) else set())
        if f"`{field}`" not in str(told.get(name))
    ]
    assert [] == missing
    assert [] == [field for field in shared if f"`{field}`" not in str(told["classroom"])]


def test_everything_counted_is_documented() -> None:
    """loadtest.md explains each figure of the truth, and each latency."""
    assert [] == undocumented([*set(Truth.model_fields) - {"examples"}, *Metric], LOADTEST)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """A relative link names a file that is there, and a heading in it."""
    broken = []
    for found in LINK.findall(page.read_text()):
        target, _, anchor = "".join(found).partition("#")
        if re.match(r"\w+:", target):
            continue
        file = (page.parent / target).resolve() if target else page
        if not file.exists() or (anchor and anchor not in slugs(file.read_text())):
            broken.append("".join(found))
    assert [] == broken


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: str(page.relative_to(ROOT)))
def test_named_files_exist(page: Path) -> None:
    """Where a guide names a file or folder of ours, it is there."""
    assert [] == [path for path in CODE_PATH.findall(page.read_text()) if not (ROOT / path).exists()]
