"""The timeline: samples of several workers, joined."""

import pytest

from loadtest.measure.histogram import Histogram
from loadtest.measure.names import Count, Gauge, Metric
from loadtest.measure.recorder import Mishap, Sample
from loadtest.measure.server import Reading
from loadtest.measure.timeline import MOST_FAULTS, Timeline

S = 1_000_000_000
START = 100 * S


def sample(
    at_s: float,
    connections: int = 0,
    counts: dict[Count, int] | None = None,
    latency: dict[Metric, list[float]] | None = None,
    errors: tuple[Mishap, ...] = (),
    cpu_s: float = 0.0,
) -> Sample:
    """Return a sample taken at so many seconds of the run; latencies are in ms."""
    histograms = {}
    for metric, values in (latency or {}).items():
        histogram = Histogram()
        for ms in values:
            histogram.record(int(ms * 1e6))
        histograms[metric] = histogram.encode()
    t_ns = START + int(at_s * S)
    return Sample(t_ns, counts or {}, {Gauge.CONNECTIONS: connections}, histograms, errors, cpu_s, 1)


def test_the_same_second_of_all_workers_is_one_point() -> None:
    """Counts, levels and processor time are added; latencies are those of all together."""
    timeline = Timeline(START)
    timeline.add(0, sample(0.9, 10, {Count.SENT: 3}, {Metric.ACK: [1, 1, 1]}, cpu_s=5.0))
    timeline.add(1, sample(0.7, 20, {Count.SENT: 4, Count.OWN: 1}, {Metric.ACK: [9]}, cpu_s=5.0))
    timeline.add(0, sample(1.9, 11, cpu_s=5.5))
    timeline.add(1, sample(1.7, 22, cpu_s=5.25))
    first, second = timeline.points()
    assert (0, 30, {Count.SENT: 7, Count.OWN: 1}) == (first.t_s, first.connections, first.counts)
    ack = first.latency[Metric.ACK]
    assert pytest.approx([4, 1, 9], rel=0.01) == [ack.count, ack.p50, ack.max]
    assert (1, 33, 0.75) == (second.t_s, second.connections, second.generator_cpu)
    assert (33, 33) == (timeline.connections, timeline.connections_peak)


def test_a_sample_that_is_a_little_late_is_of_its_own_second() -> None:
    """A worker that measures at the very end of its seconds leaves no gap when it is late."""
    timeline = Timeline(START)
    for at_s in (0.99, 2.01, 2.99, 4.02, 4.99):
        timeline.add(0, sample(at_s, counts={Count.SENT: 1}))
    assert [1, 1, 1, 1, 1] == [point.counts[Count.SENT] for point in timeline.points()]


@pytest.mark.parametrize("later", [1, 60])
def test_a_worker_that_lags_behind_fills_its_own_seconds(later: int) -> None:
    """Whether they are still open or long closed: nothing is left out, and the worst is kept."""
    timeline = Timeline(START)
    for second in range(later + 1):
        timeline.add(0, sample(second + 0.5, counts={Count.SENT: 1}, latency={Metric.ACK: [2.0] * 3}))
    timeline.add(1, sample(0.6, counts={Count.SENT: 1}, latency={Metric.ACK: [8.0]}))
    point = timeline.points()[0]
    assert ({Count.SENT: 2}, 4) == (point.counts, point.latency[Metric.ACK].count)
    assert pytest.approx(8.0, rel=0.01) == point.latency[Metric.ACK].max
    assert later + 1 == len(timeline.points())


def test_a_second_without_a_sample_has_the_connections_of_before() -> None:
    """Connections do not end because a worker was too busy to tell; after a while it counts as gone."""
    timeline = Timeline(START)
    timeline.add(0, sample(0.5, 10))
    timeline.add(1, sample(0.5, 5))
    for second in range(1, 10):
        timeline.add(1, sample(second + 0.5, 5))
    assert [15, 15, 15, 15, 15, 5, 5, 5, 5, 5] == [point.connections for point in timeline.points()]
    assert (5, 15) == (timeline.connections, timeline.connections_peak)


def test_latencies_are_of_the_load_and_what_came_of_it() -> None:
    """What was due in the load and came after it counts, for slow answers must not go unseen; what was before not."""
    timeline = Timeline(START)
    timeline.add(0, sample(1, latency={Metric.CALL: [1], Metric.CONNECT: [1]}))
    timeline.load(START + 2 * S, START + 4 * S)
    timeline.add(0, sample(2, latency={Metric.CALL: [2], Metric.CATCHUP: [2]}))
    for second in (3, 4, 5):
        timeline.add(0, sample(second, latency={Metric.CALL: [second], Metric.CONNECT: [3]}))
    found = timeline.percentiles()
    assert {Metric.CALL: 3, Metric.CONNECT: 4, Metric.CATCHUP: 1} == {name: each.count for name, each in found.items()}
    assert pytest.approx((3, 5), rel=0.01) == (found[Metric.CALL].min, found[Metric.CALL].max)


def test_counts_are_of_the_load_only() -> None:
    """A sample counts if most of its time was in the load; a load that ended early has no more."""
    timeline = Timeline(START)
    timeline.load(START + int(2.2 * S), START + int(60 * S))
    for second in range(1, 8):
        if second == 6:
            timeline.load(START + int(2.2 * S), START + int(4.9 * S))
        timeline.add(0, sample(second, counts={Count.SENT: 10**second}))
    assert {Count.SENT: 10**3 + 10**4 + 10**5} == timeline.counts()


def test_the_latest_point_is_one_that_all_workers_have_told_of() -> None:
    """Half a second's figures would look as if the load fell; a worker that is gone is not waited for."""
    timeline = Timeline(START)
    assert (0, {}) == (timeline.latest().t_s, timeline.latest().counts)
    timeline.add(0, sample(0.5, counts={Count.SENT: 1}))
    timeline.add(1, sample(0.5, counts={Count.SENT: 1}))
    timeline.add(0, sample(1.5, counts={Count.SENT: 1}))
    assert (0, {Count.SENT: 2}) == (timeline.latest().t_s, timeline.latest().counts)
    for second in range(2, 9):
        timeline.add(0, sample(second + 0.5, counts={Count.SENT: 1}))
    assert 8 == timeline.latest().t_s


def test_faults_are_joined_by_kind_and_code() -> None:
    """The first time and the first words are kept."""
    timeline = Timeline(START)
    timeline.add(0, sample(3, errors=(Mishap("ack", "rate.limited", 2, "slow down"), Mishap("close", "lost", 1, ""))))
    timeline.add(1, sample(4, errors=(Mishap("ack", "rate.limited", 5, "later"),)))
    limited, lost = timeline.faults()
    assert ("ack", "rate.limited", 7, 3.0, "slow down") == (
        limited.kind,
        limited.code,
        limited.count,
        limited.first_s,
        limited.example,
    )
    assert ("close", "lost", 1) == (lost.kind, lost.code, lost.count)


def test_kinds_of_faults_are_bounded() -> None:
    """A server that makes up codes for hours fills no memory; nothing is uncounted."""
    timeline = Timeline(START)
    for second in range(20):
        made_up = tuple(Mishap("http", f"{second}-{number}", 1, "") for number in range(100))
        timeline.add(0, sample(second, errors=made_up))
    assert (MOST_FAULTS + 1, 2000) == (len(timeline.faults()), sum(fault.count for fault in timeline.faults()))


def test_the_servers_use_is_of_the_time_between_two_readings() -> None:
    """The first reading tells of memory only, for nobody knows since when the time was used."""
    timeline = Timeline(START)
    timeline.server(Reading(START + S // 2, 7.0, 50_000_000))
    timeline.server(Reading(START + 5 * S // 2, 8.0, 60_000_000))
    first, between, last = timeline.points()
    assert (None, 50.0) == (first.server_cpu, first.server_rss_mb)
    assert (None, None) == (between.server_cpu, between.server_rss_mb)
    assert (0.5, 60.0) == (last.server_cpu, last.server_rss_mb)
