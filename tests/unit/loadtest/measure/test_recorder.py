"""The recorder: everything is handed over once."""

import pickle

from loadtest.measure.histogram import Histogram
from loadtest.measure.names import Count, Gauge, Metric
from loadtest.measure.recorder import LONGEST_EXAMPLE, MOST_CODES, OTHERS, Mishap, Recorder


def test_a_sample_is_what_happened_since_the_last() -> None:
    """Counts, latencies and errors begin anew; levels and processor time go on."""
    recorder = Recorder(clock=lambda: 17)
    recorder.count(Count.SENT)
    recorder.count(Count.SENT, 2)
    recorder.level(Gauge.CONNECTIONS, 5)
    recorder.latency(Metric.ACK, 2_000_000)
    recorder.error("ack", "rate.limited", "too fast")
    recorder.error("ack", "rate.limited", "again")
    first = pickle.loads(pickle.dumps(recorder.drain()))  # noqa: S301 - our own
    assert 17 == first.t_ns
    assert {Count.SENT: 3, Count.ERRORS: 2} == first.counts
    assert {Gauge.CONNECTIONS: 5} == first.levels
    assert (Mishap("ack", "rate.limited", 2, "too fast"),) == first.errors
    assert [Metric.ACK] == list(first.histograms)
    assert 1 == Histogram.decode(first.histograms[Metric.ACK]).count
    recorder.level(Gauge.CONNECTIONS, -2)
    second = recorder.drain()
    assert ({}, {Gauge.CONNECTIONS: 3}, {}, ()) == (second.counts, second.levels, second.histograms, second.errors)
    assert second.cpu_s >= first.cpu_s > 0
    assert second.rss_bytes > 1_000_000


def test_a_server_that_makes_up_codes_fills_no_memory() -> None:
    """Beyond a hundred kinds all further ones are one, of each kind of fault; nothing is uncounted."""
    recorder = Recorder()
    for number in range(500):
        recorder.error("ack", f"code {number}", "x" * 10_000)
    errors = recorder.drain().errors
    assert (MOST_CODES + 1, 500) == (len(errors), sum(error.count for error in errors))
    assert (OTHERS, 400) == (errors[-1].code, errors[-1].count)
    assert {LONGEST_EXAMPLE} == {len(error.example) for error in errors}
