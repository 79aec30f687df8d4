import math
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contexten.errors import UsageError
from contexten.telemetry.alerts import AlertRule, Alerts, AlertState


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


class Figure:
    value = None

    def __call__(self):
        return self.value


def alerts(for_seconds=0.0, targets=None):
    figure, clock = Figure(), Clock()
    rule = AlertRule("errors", figure, ">", 0.5, for_seconds, "critical", "too many errors")
    return Alerts([rule], targets, clock=clock), figure, clock


def test_it_fires_once_and_resolves_once():
    told = []
    watched, figure, _ = alerts(targets=[told.append])
    for value in (0.1, 0.9, 0.9, 0.2, 0.2):
        figure.value = value
        watched.evaluate()
    assert [(a.rule, a.state, a.value) for a in told] == [
        ("errors", AlertState.FIRED, 0.9),
        ("errors", AlertState.RESOLVED, 0.2),
    ]


def test_it_waits_for_the_whole_duration_and_a_break_starts_it_again():
    watched, figure, clock = alerts(for_seconds=10)
    for now, value, firing in [(0, 1, []), (9, 1, []), (9.5, 0, []), (10, 1, []), (19, 1, []), (20, 1, ["errors"])]:
        clock.now, figure.value = now, value
        watched.evaluate()
        assert watched.firing == firing


def test_an_unknown_figure_changes_nothing():
    watched, figure, _ = alerts()
    figure.value = 1
    watched.evaluate()
    figure.value = None
    assert watched.evaluate() == []
    assert watched.firing == ["errors"]


@given(st.lists(st.one_of(st.none(), st.floats(0, 1)), max_size=40))
def test_changes_always_alternate_between_fired_and_resolved(values):
    watched, figure, clock = alerts(for_seconds=2)
    changes = []
    for clock.now, figure.value in enumerate(values):
        changes += [change.state for change in watched.evaluate()]
    expected = [AlertState.FIRED, AlertState.RESOLVED] * len(changes)
    assert changes == expected[: len(changes)]
    assert bool(watched.firing) == (len(changes) % 2 == 1)


def test_a_failing_target_is_logged_and_harms_no_other(caplog):
    def broken(_alert):
        raise RuntimeError("target down")

    told = []
    watched, figure, _ = alerts(targets=[broken, told.append])
    figure.value = 1
    watched.evaluate()
    assert [a.state for a in told] == [AlertState.FIRED]
    (record,) = caplog.records
    assert (record.message, record.rule, record.state) == ("alert target failed", "errors", "fired")
    assert record.exc_info[0] is RuntimeError


def test_wrong_rules_are_refused_with_the_value():
    with pytest.raises(UsageError, match="'=='"):
        AlertRule("a", lambda: 1, "==", 1)
    with pytest.raises(UsageError, match="-1"):
        AlertRule("a", lambda: 1, ">", 1, for_seconds=-1)
    with pytest.raises(UsageError, match="'fatal'"):
        AlertRule("a", lambda: 1, ">", 1, severity="fatal")
    with pytest.raises(UsageError, match="'a' is there more than once"):
        Alerts([AlertRule("a", lambda: 1, ">", 1), AlertRule("a", lambda: 2, ">", 1)])


def test_a_figure_that_fails_or_is_no_number_harms_no_other_rule(caplog):
    def broken():
        raise ZeroDivisionError

    figure = Figure()
    watched = Alerts([AlertRule("broken", broken, ">", 1), AlertRule("works", figure, ">", 1)])
    figure.value = 2
    assert [change.rule for change in watched.evaluate()] == ["works"]
    figure.value = math.nan
    assert watched.evaluate() == []
    assert watched.firing == ["works"]
    assert {(record.message, record.rule) for record in caplog.records} == {("alert rule failed", "broken")}


def test_threads_that_evaluate_at_a_time_tell_each_change_once():
    together = threading.Barrier(8)

    def value():
        together.wait(150)
        return 1.0

    told = []
    watched = Alerts([AlertRule("errors", value, ">", 0.5)], [told.append])
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: watched.evaluate(), range(8)))
    assert len(told) == 1
