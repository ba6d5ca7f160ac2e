"""When a run has failed: expressions such as `delivery.p99>100ms`, `lost>0` or `acked.rate<300`."""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass

from loadtest.report.figures import number
from loadtest.report.quantities import Quantity, quantities
from loadtest.report.result import Check, Result
from loadtest.scenarios.nearest import unknown

NAMES = tuple(sorted(quantities()))
"""Everything that a threshold can be about."""

NO_DATA = "no data"

_FORM = re.compile(r"\s*([\w.]+)\s*(>=|<=|==|!=|>|<)\s*([0-9][0-9_]*(?:\.[0-9]+)?)\s*(%|[A-Za-z]*)\s*")
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}


class BadThreshold(ValueError):
    """The text is no threshold; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """A quantity, and what it must not be: `limit` is in the quantity's own unit, or in percent of its whole."""

    text: str
    quantity: Quantity
    comparison: str
    limit: float
    percent: bool

    @property
    def name(self) -> str:
        """The name of the quantity."""
        return self.quantity.name


def parse(text: str) -> Threshold:
    """Return the threshold that a text stands for. Raises BadThreshold."""
    match = _FORM.fullmatch(text)
    if match is None:
        raise BadThreshold(f"{text!r} is no threshold; it should look like 'delivery.p99>100ms' or 'lost>0'")
    name, comparison, value, unit = match.groups()
    quantity = _quantity(text, name)
    factor = _factor(text, quantity, unit, float(value))
    written = f"{name}{comparison}{value}{unit}"
    return Threshold(written, quantity, comparison, float(value) * factor, unit == "%")


def check(threshold: Threshold, result: Result) -> Check:
    """Return what a run found. The threshold holds (`ok`) unless its expression is true, or nothing was measured."""
    actual = _actual(threshold, result)
    if actual is None:
        return Check(text=threshold.text, actual=NO_DATA, ok=False)
    failed = _COMPARE[threshold.comparison](actual, threshold.limit)
    shown = f"{number(actual)} %" if threshold.percent else threshold.quantity.show(actual)
    return Check(text=threshold.text, actual=shown, ok=not failed)


def _actual(threshold: Threshold, result: Result) -> float | None:
    value, whole = threshold.quantity.read(result), threshold.quantity.whole
    if value is None or not threshold.percent or whole is None:
        return value
    return 100 * value / whole(result) if whole(result) else None


def _quantity(text: str, name: str) -> Quantity:
    known = quantities()
    plain = name.replace("p99.9", "p99_9")  # p99.99 too
    if plain not in known:
        raise BadThreshold(f"{text!r}: {unknown('figure', name, NAMES)}")
    return known[plain]


def _factor(text: str, quantity: Quantity, unit: str, value: float) -> float:
    if unit == "%" and quantity.whole is not None:
        return 1.0
    if unit in quantity.units:
        return quantity.units[unit]
    if not unit and value == 0:
        return 1.0
    allowed = [*filter(None, quantity.units), *(["%"] if quantity.whole is not None else [])]
    wanted = f"one of {', '.join(allowed)}" if allowed else "no unit"
    raise BadThreshold(f"{text!r}: {quantity.name} needs {wanted}" + (f", not {unit!r}" if unit else ""))
