"""Every case of the published suites has a test of ours."""

import re
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs/conformance.md"
ROW = re.compile(r"^\| ([ES]\d+) .*\| `(\w+\.py)::(\w+)` \|$", re.MULTILINE)
TEST = re.compile(r"^(?:async )?def (test_\w+)\(", re.MULTILINE)
CASES = [*(f"E{number}" for number in range(1, 26)), *(f"S{number}" for number in range(1, 33))]


def names_in(file: str) -> set[str]:
    """Return the names of the tests in a file beside this one."""
    return set(TEST.findall(Path(__file__).with_name(file).read_text()))


def test_each_case_is_listed_once() -> None:
    """docs/conformance.md has a row for each of the 25 and 32 cases."""
    assert CASES == [case for case, _, _ in ROW.findall(PAGE.read_text())]


def test_each_case_has_a_test() -> None:
    """The test that a row names is there."""
    assert [] == [row for row in ROW.findall(PAGE.read_text()) if row[2] not in names_in(row[1])]


def test_each_file_of_tests_is_listed() -> None:
    """Whoever looks for a rule finds the file that holds to it."""
    page = PAGE.read_text()
    here = sorted(path.name for path in Path(__file__).parent.glob("test_*.py"))
    assert [Path(__file__).name] == [name for name in here if f"`{name}`" not in page and f"/{name}`" not in page]
