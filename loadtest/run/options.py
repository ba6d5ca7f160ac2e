"""What a run is asked to be, and who watches it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol

from loadtest.client.target import Target
from loadtest.client.tokens import User
from loadtest.report.dashboard import RunInfo
from loadtest.report.result import Fault, Point
from loadtest.scenarios.scenario import Scenario

Mint = Callable[[User, float], str]
"""Makes an access token for a user that lives so many seconds."""


@dataclass(frozen=True, slots=True)
class Options:
    """A run."""

    scenario: Scenario
    target: Target
    workers: int | None = None
    """None: as many as the people and the machine ask for."""
    service_key: str | None = None
    """With it each worker has the server mint tokens; else `mint` of `run` makes them."""
    server_pid: int | None = None
    """Whose use is measured; None: found by the port that it listens on, else read from /metrics."""
    cpus: Sequence[int] | None = None
    """Cores that the coordinator and its workers keep to."""
    fail_if: Sequence[str] = ()
    """Thresholds beside the scenario's. One on the same figure takes the place of the scenario's."""


class View(Protocol):
    """Shows a run while it goes on; `loadtest.report.live.Live` is one."""

    def __enter__(self) -> object: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def update(self, phase: str, point: Point, progress: float, faults: Sequence[Fault]) -> None:
        """Show the latest second; `progress` is the share of the phase that is over."""


Watch = Callable[[RunInfo], View]
