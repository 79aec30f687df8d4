"""Alerts: rules over figures, fired when a threshold is passed for long enough and resolved when it no longer is."""

from __future__ import annotations

import logging
import math
import operator
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from time import monotonic
from typing import Literal, get_args

from contexten.errors import UsageError
from contexten.telemetry.webhook import webhook

__all__ = ["Alert", "AlertRule", "AlertState", "Alerts", "Comparison", "Severity", "Target", "webhook"]

logger = logging.getLogger(__name__)

Comparison = Literal[">", ">=", "<", "<="]
Severity = Literal["info", "warning", "critical"]
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


class AlertState(StrEnum):
    """Where an alert stands."""

    FIRED = "fired"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class AlertRule:
    """When to raise an alert.

    Args:
        name: what it is called, unique among the rules.
        value: reads the figure; `None` or not-a-number means that it is not known now, which changes nothing. One
            that fails is logged and means the same.
        comparison: how the figure compares with the threshold while something is wrong.
        threshold: in the figure's own unit.
        for_seconds: how long it must be wrong without a break before the alert fires.
        severity: `info`, `warning` or `critical`.
        summary: one line for a person.
    """

    name: str
    value: Callable[[], float | None]
    comparison: Comparison
    threshold: float
    for_seconds: float = 0.0
    severity: Severity = "warning"
    summary: str = ""

    def __post_init__(self) -> None:
        if self.comparison not in _COMPARE:
            raise UsageError(f"comparison must be one of {', '.join(_COMPARE)}, got {self.comparison!r}")
        if not self.for_seconds >= 0:
            raise UsageError(f"for_seconds must be >= 0, got {self.for_seconds}")
        if self.severity not in get_args(Severity):
            raise UsageError(f"severity must be one of {', '.join(get_args(Severity))}, got {self.severity!r}")


@dataclass(frozen=True, slots=True)
class Alert:
    """A change of an alert: it fired or it resolved."""

    rule: str
    state: AlertState
    value: float
    threshold: float
    severity: str
    summary: str
    at: str
    """ISO 8601, UTC."""


Target = Callable[[Alert], None]


class Alerts:
    """Evaluates rules and tells targets of each change, once. Threads may share it.

    Args:
        rules: the rules.
        targets: called with each change, in order; one that fails is logged and harms no other.
        clock: seconds that only go forward.

    Raises:
        UsageError: two rules have one name.
    """

    def __init__(
        self, rules: list[AlertRule], targets: list[Target] | None = None, *, clock: Callable[[], float] = monotonic
    ) -> None:
        twice = [name for name, count in Counter(rule.name for rule in rules).items() if count > 1]
        if twice:
            raise UsageError(f"each rule needs a name of its own; {twice[0]!r} is there more than once")
        self.rules = list(rules)
        self.targets = list(targets or [])
        self._clock = clock
        self._lock = threading.Lock()
        self._wrong_since: dict[str, float] = {}
        self._firing: set[str] = set()

    @property
    def firing(self) -> list[str]:
        """Names of the rules whose alerts have fired and not resolved."""
        with self._lock:
            return sorted(self._firing)

    def evaluate(self) -> list[Alert]:
        """Read every figure once; gives back, and tells the targets, what changed."""
        figures = [(rule, _read(rule)) for rule in self.rules]
        with self._lock:
            changes = [change for rule, value in figures if (change := self._judge(rule, value)) is not None]
        for change in changes:
            for target in self.targets:
                _tell(target, change)
        return changes

    def _judge(self, rule: AlertRule, value: float | None) -> Alert | None:
        if value is None:
            return None
        if not _COMPARE[rule.comparison](value, rule.threshold):
            return self._right(rule, value)
        since = self._wrong_since.setdefault(rule.name, self._clock())
        if rule.name in self._firing or self._clock() - since < rule.for_seconds:
            return None
        self._firing.add(rule.name)
        return _change(rule, AlertState.FIRED, value)

    def _right(self, rule: AlertRule, value: float) -> Alert | None:
        self._wrong_since.pop(rule.name, None)
        if rule.name not in self._firing:
            return None
        self._firing.discard(rule.name)
        return _change(rule, AlertState.RESOLVED, value)


def _read(rule: AlertRule) -> float | None:
    try:
        value = rule.value()
    except Exception:
        logger.exception("alert rule failed", extra={"rule": rule.name})
        return None
    return None if value is None or math.isnan(value) else value


def _change(rule: AlertRule, state: AlertState, value: float) -> Alert:
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    return Alert(rule.name, state, value, rule.threshold, rule.severity, rule.summary, now)


def _tell(target: Target, alert: Alert) -> None:
    try:
        target(alert)
    except Exception:
        logger.exception("alert target failed", extra={"rule": alert.rule, "state": str(alert.state)})
