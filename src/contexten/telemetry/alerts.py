"""Alerts: rules over figures, fired when a threshold is passed for long enough and resolved when it no longer is."""

from __future__ import annotations

import json
import logging
import operator
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from time import monotonic
from typing import Literal

from contexten.errors import UsageError

logger = logging.getLogger(__name__)

Comparison = Literal[">", ">=", "<", "<="]
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
        value: reads the figure; `None` means that it is not known now, which changes nothing.
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
    severity: Literal["info", "warning", "critical"] = "warning"
    summary: str = ""

    def __post_init__(self) -> None:
        if self.comparison not in _COMPARE:
            raise UsageError(f"comparison must be one of {', '.join(_COMPARE)}, got {self.comparison!r}")
        if self.for_seconds < 0:
            raise UsageError(f"for_seconds must be >= 0, got {self.for_seconds}")


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
    """Evaluates rules and tells targets of each change, once.

    Args:
        rules: the rules.
        targets: called with each change, in order; one that fails is logged and harms no other.
        clock: seconds that only go forward.
    """

    def __init__(
        self, rules: list[AlertRule], targets: list[Target] | None = None, *, clock: Callable[[], float] = monotonic
    ) -> None:
        self.rules = list(rules)
        self.targets = list(targets or [])
        self._clock = clock
        self._wrong_since: dict[str, float] = {}
        self._firing: set[str] = set()

    @property
    def firing(self) -> list[str]:
        """Names of the rules whose alerts have fired and not resolved."""
        return sorted(self._firing)

    def evaluate(self) -> list[Alert]:
        """Read every figure once; gives back, and tells the targets, what changed."""
        changes = [change for rule in self.rules if (change := self._evaluate(rule)) is not None]
        for change in changes:
            for target in self.targets:
                _tell(target, change)
        return changes

    def _evaluate(self, rule: AlertRule) -> Alert | None:
        value = rule.value()
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


def webhook(url: str, *, timeout: float = 5.0) -> Target:
    """A target that posts each change as JSON.

    Args:
        url: `http` or `https` address; nothing else is accepted.
        timeout: seconds to wait for the answer.

    Raises:
        UsageError: the address is of another kind.
    """
    if urllib.parse.urlsplit(url).scheme not in {"http", "https"}:
        raise UsageError(f"a webhook needs an http or https address, got {url!r}")

    def post(alert: Alert) -> None:
        body = json.dumps(asdict(alert)).encode()
        request = urllib.request.Request(url, data=body, headers={"Content-Type": "application/json"})  # noqa: S310 - checked above
        with urllib.request.urlopen(request, timeout=timeout):  # noqa: S310 - checked above
            pass

    return post


def _change(rule: AlertRule, state: AlertState, value: float) -> Alert:
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    return Alert(rule.name, state, value, rule.threshold, rule.severity, rule.summary, now)


def _tell(target: Target, alert: Alert) -> None:
    try:
        target(alert)
    except Exception:
        logger.exception("alert target failed", extra={"rule": alert.rule, "state": str(alert.state)})
