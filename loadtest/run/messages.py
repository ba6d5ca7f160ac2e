"""What the coordinator and its workers say to each other, over a pipe to each worker."""

from dataclasses import dataclass
from typing import Literal

from loadtest.measure.recorder import Sample
from loadtest.truth.ledger import LedgerData

Step = Literal["connect", "prepare", "load", "settle", "sync", "leave"]
"""The phases of a run, and the end of its workers."""


@dataclass(frozen=True, slots=True)
class Begin:
    """To a worker: begin a step. Times are time.monotonic_ns, which all processes of a machine share.

    For `connect`, `until_ns` is when the last person is due. It is the end of every other step.
    """

    step: Step
    from_ns: int
    until_ns: int


@dataclass(frozen=True, slots=True)
class End:
    """To a worker: end this step now, if it is still going on."""

    step: Step


@dataclass(frozen=True, slots=True)
class Published:
    """A value that all workers may need: from the worker that made it, then to every worker."""

    key: str
    value: str


@dataclass(frozen=True, slots=True)
class Measured:
    """From a worker, about once a second."""

    sample: Sample


@dataclass(frozen=True, slots=True)
class Finished:
    """From a worker: a step is over. The first one, of no step, says that it has started."""

    step: Step | None


@dataclass(frozen=True, slots=True)
class Last:
    """From a worker: all that it knows at the end."""

    ledger: LedgerData
    never_in: int
    """People who never got in."""
    unsynced: int
    """People whose final sync did not succeed."""
    begun: int
    """Actions of the load that were begun."""
    missed: int
    """Actions that were due in the load phase, and never begun."""
    upgraded: int
    """Connections that have gone over from polling to a websocket."""


@dataclass(frozen=True, slots=True)
class Broken:
    """From a worker: it cannot go on, for the reason that it tells."""

    reason: str


Order = Begin | End | Published
Report = Published | Measured | Finished | Last | Broken
