"""Metrics: exact counts, distributions, bounded size, the documented shape, the text format."""

from __future__ import annotations

import asyncio
import math
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contexten.telemetry import metrics
from contexten.telemetry.metrics import Histogram, MetricsRegistry


@pytest.fixture
def registry():
    return MetricsRegistry()


def in_threads(count, work):
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_the_documented_shape(registry):
    registry.increment("agents_created")
    registry.increment("api_calls", 5)
    registry.set_gauge("current_load", 0.75)
    registry.observe("agent_run", 0.5)
    seen = registry.get_metrics()
    assert list(seen) == ["uptime_seconds", "counters", "gauges", "timers", "dropped_series"]
    assert seen["uptime_seconds"] >= 0
    assert seen["counters"] == {"agents_created": 1, "api_calls": 5}
    assert seen["gauges"] == {"current_load": 0.75}
    assert seen["timers"]["agent_run"]["count"] == 1


def test_the_module_functions_are_those_of_the_process_registry():
    metrics.reset()
    metrics.increment("custom_operations")
    assert metrics.get_metrics()["counters"] == metrics.registry.get_metrics()["counters"] == {"custom_operations": 1}
    metrics.reset()
    assert metrics.get_metrics()["counters"] == {}


def test_counts_are_exact_under_32_threads(registry):
    def work():
        for _ in range(2_000):
            registry.increment("a")
            registry.increment("b", 2, labels={"k": "v"})
            registry.observe("t", 1.0)

    in_threads(32, work)
    seen = registry.get_metrics()
    assert seen["counters"] == {"a": 64_000, 'b{k="v"}': 128_000}
    assert seen["timers"]["t"]["count"] == 64_000


@pytest.mark.parametrize("n", [-1, math.nan])
def test_a_counter_only_grows(registry, n):
    with pytest.raises(ValueError, match="only grows"):
        registry.increment("a", n)


def test_what_was_read_does_not_change_afterwards(registry):
    registry.increment("a")
    seen = registry.get_metrics()
    registry.increment("a")
    assert seen["counters"] == {"a": 1}


def test_timers_nest_and_belong_to_their_thread(registry):
    registry.start_timer("work")
    registry.start_timer("work")
    elsewhere = []
    in_threads(1, lambda: elsewhere.append(registry.end_timer("work")))
    inner, outer = registry.end_timer("work"), registry.end_timer("work")
    assert elsewhere == [None]
    assert 0 <= inner <= outer
    assert registry.end_timer("work") is None
    assert registry.get_metrics()["timers"]["work"]["count"] == 2


def test_timers_belong_to_their_asynchronous_task(registry):
    begun, ended = asyncio.Event(), asyncio.Event()

    async def first():
        registry.start_timer("work")
        since = time.perf_counter()
        await begun.wait()
        least = time.perf_counter() - since
        took = registry.end_timer("work")
        ended.set()
        return least, took

    async def second():
        await asyncio.sleep(0.05)
        since = time.perf_counter()
        registry.start_timer("work")
        begun.set()
        await ended.wait()
        took = registry.end_timer("work")
        return took, time.perf_counter() - since

    async def program():
        return await asyncio.gather(first(), second())

    (least, long), (short, most) = asyncio.run(program())
    assert least <= long
    assert short <= most


def test_timers_that_are_never_ended_take_no_endless_memory(registry):
    for _ in range(1_000):
        registry.start_timer("forgotten")
    ended = 0
    while registry.end_timer("forgotten") is not None:
        ended += 1
    assert ended == 64


def test_a_timed_body_is_observed_when_it_raises(registry):
    with pytest.raises(LookupError), registry.timer("work", {"kind": "x"}):
        raise LookupError
    assert registry.get_metrics()["timers"]['work{kind="x"}']["count"] == 1


def test_endless_label_values_are_dropped_and_counted():
    registry = MetricsRegistry(max_series=10)
    for n in range(100):
        registry.increment("a", labels={"n": str(n)})
        registry.set_gauge("g", 1, labels={"n": str(n)})
        registry.observe("t", 1, labels={"n": str(n)})
    registry.increment("a", labels={"n": "0"})
    seen = registry.get_metrics()
    assert len(seen["counters"]) + len(seen["gauges"]) + len(seen["timers"]) == 10
    assert seen["dropped_series"] == 290
    assert seen["counters"]['a{n="0"}'] == 2


@given(st.lists(st.floats(min_value=1e-6, max_value=1e6), min_size=1, max_size=200), st.floats(0.01, 1.0))
def test_a_quantile_is_right_within_a_bucket(values, share):
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    exact = sorted(values)[max(0, math.ceil(share * len(values)) - 1)]
    assert histogram.quantile(share) == pytest.approx(exact, rel=0.1)


def test_a_distribution_takes_zero_and_the_empty_case():
    histogram = Histogram()
    assert histogram.summary() == {"count": 0, "sum": 0.0}
    assert histogram.quantile(0.5) == 0.0
    histogram.add(0.0)
    assert histogram.summary()["p50"] == 0.0


def test_the_text_format_is_what_prometheus_reads(registry):
    parser = pytest.importorskip("prometheus_client.parser")
    registry.increment("tasks_run", 3, labels={"engine": 'a"b\\c\nd'})
    registry.increment("contexten_retries_total")
    registry.set_gauge("current load", 0.5)
    registry.observe("task_duration", 2.0)
    families = {family.name: family for family in parser.text_string_to_metric_families(registry.render_text())}
    [run] = families["contexten_tasks_run"].samples
    assert (run.name, run.labels, run.value) == ("contexten_tasks_run_total", {"engine": 'a"b\\c\nd'}, 3.0)
    assert families["contexten_retries"].samples[0].value == 1.0
    assert families["contexten_current_load"].type == "gauge"
    duration = families["contexten_task_duration_seconds"]
    assert duration.type == "summary"
    assert {sample.name.removeprefix("contexten_task_duration_seconds") for sample in duration.samples} == {
        "",
        "_sum",
        "_count",
    }


def test_exporters_can_read_the_series(registry):
    registry.increment("a", labels={"x": "1"})
    assert registry.series()["counters"] == {("a", (("x", "1"),)): 1}
