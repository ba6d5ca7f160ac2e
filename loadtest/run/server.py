"""What the server used, at the moments that the report tells of."""

from collections.abc import Callable
from dataclasses import dataclass

from loadtest.measure.server import Reading, ServerProbe
from loadtest.report.result import ServerUse


@dataclass(slots=True)
class ServerWatch:
    """Readings of the server's use; there are none if nothing can be seen of it, or once it has died."""

    probe: ServerProbe
    _before: Reading | None = None
    _entered: Reading | None = None
    _from: Reading | None = None
    _until: Reading | None = None
    _rss_peak: int = 0
    _connections: int = 0

    @property
    def seen(self) -> bool:
        """Whether anything could be seen of it at the beginning."""
        return self._before is not None

    async def read(self) -> Reading | None:
        """Read now."""
        reading = await self.probe.read()
        if reading is not None:
            self._rss_peak = max(self._rss_peak, reading.rss_bytes)
        return reading

    async def before_connecting(self) -> None:
        """Read before the first connection."""
        self._before = await self.read()

    async def after_connecting(self, connections: int) -> None:
        """Read when so many are in."""
        self._entered, self._connections = await self.read(), connections

    async def load_begins(self) -> None:
        """Read before the load."""
        self._from = await self.read()

    async def load_ends(self) -> None:
        """Read after the load."""
        self._until = await self.read()

    def use(self, load_s: float, delivered: int) -> ServerUse | None:
        """Return what the report says of the server; None if it could not be seen through the whole load."""
        if self._before is None or self._from is None or self._until is None:
            return None
        cpu_s = max(0.0, self._until.cpu_s - self._from.cpu_s)
        return ServerUse(
            source=self.probe.source,
            pid=self.probe.pid,
            cpu_s=cpu_s,
            cpu_cores=cpu_s / load_s if load_s else 0.0,
            cpu_us_per_delivery=cpu_s * 1e6 / delivered if delivered else None,
            rss_mb_before=self._before.rss_bytes / 1e6,
            rss_mb_peak=self._rss_peak / 1e6,
            rss_kb_per_connection=self._growth(lambda reading: reading.rss_bytes / 1e3),
            cpu_ms_per_connect=self._growth(lambda reading: reading.cpu_s * 1e3),
        )

    def _growth(self, figure: Callable[[Reading], float]) -> float | None:
        """Return by how much each connection has raised a figure."""
        if self._before is None or self._entered is None or not self._connections:
            return None
        return (figure(self._entered) - figure(self._before)) / self._connections
