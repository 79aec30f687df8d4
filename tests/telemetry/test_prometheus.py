from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from contexten.telemetry import names
from contexten.telemetry.metrics import MetricsRegistry
from contexten.telemetry.prometheus import exposition
from contexten.telemetry.runs import RunMetrics


def scraped(registry):
    families = text_string_to_metric_families(exposition(registry).decode())
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def test_a_runs_life_is_counted_under_the_documented_names():
    registry = MetricsRegistry()
    registry.declare(names.AGENT_SECONDS, names.AGENT_BUCKETS)
    runs = RunMetrics(registry)
    for status, successful in [("COMPLETE", True), ("FAILED", False)]:
        runs.asked("analyst")
        with runs.active("analyst"):
            assert scraped(registry)[names.RUNS_ACTIVE, (("engine", "analyst"),)] == 1
        runs.ended("analyst", status, successful=successful, cost_usd=0.25)
    runs.waiting("analyst", 3)
    found = scraped(registry)
    engine = (("engine", "analyst"),)
    assert found["agent_requests_total", engine] == 2
    assert found["agent_error_rate", ()] == 0.5
    assert found["contexten_runs_total", (("engine", "analyst"), ("status", "FAILED"))] == 1
    assert found["contexten_run_cost_usd_total", engine] == 0.5
    assert found["contexten_queue_depth", engine] == 3
    assert found["contexten_runs_active", engine] == 0
    assert found["agent_execution_time_histogram_count", engine] == 2
    assert found["agent_execution_time_histogram_bucket", (("engine", "analyst"), ("le", "409.6"))] == 2


@given(st.lists(st.floats(1e-6, 1e6), max_size=50))
def test_declared_buckets_are_exact(values):
    bounds = (0.1, 1.0, 10.0)
    registry = MetricsRegistry()
    registry.declare("took", bounds)
    registry.observe("took", 1.0)
    for value in values:
        registry.observe("took", value)
    found = scraped(registry)
    for bound in bounds:
        assert found["took_bucket", (("le", str(bound)),)] == sum(value <= bound for value in [1.0, *values])
    assert found["took_bucket", (("le", "+Inf"),)] == found["took_count", ()] == len(values) + 1


def test_names_and_labels_of_any_text_make_a_valid_scrape():
    registry = MetricsRegistry()
    registry.increment("my metric-1", labels={"who": 'a"b\\c\nd'})
    assert scraped(registry)["my_metric_1_total", (("who", 'a"b\\c\nd'),)] == 1


def test_a_timer_without_declared_buckets_is_a_summary():
    registry = MetricsRegistry()
    registry.observe("plain", 2.0)
    assert scraped(registry)["plain_sum", ()] == 2.0
