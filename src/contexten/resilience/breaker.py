"""A circuit breaker: a server that fails again and again is left alone for a while, then tried with one single call.

Closed: calls go through; `threshold` failures in a row open it. Open: calls are refused at once. After `reset` seconds
it is half-open: exactly one call goes through as a probe; its success closes the breaker, its failure opens it again
for twice as long. One breaker keeps one circuit per key, and one circuit serves threads and tasks alike.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from enum import StrEnum

from contexten.errors import CircuitOpenError, UsageError
from contexten.resilience.clock import SYSTEM_CLOCK, Clock

_log = logging.getLogger(__name__)
_lock = threading.Lock()


class CircuitState(StrEnum):
    """Where a circuit stands."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


ChangeHook = Callable[[str, CircuitState, CircuitState], None]
"""Called with the key, the old state and the new one."""


class Breaker:
    """Circuits by key.

    Args:
        threshold: failures in a row that open a circuit.
        reset: seconds that a circuit stays open before its first probe.
        longest: seconds that it stays open at most, however often probes fail.
        on_change: told about each change of a state; what it raises is logged.
    """

    def __init__(
        self,
        *,
        threshold: int = 8,
        reset: float = 10.0,
        longest: float = 60.0,
        on_change: ChangeHook | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        if threshold < 1:
            raise UsageError(f"threshold must be >= 1, got {threshold}")
        self.threshold, self.reset_after, self.longest = threshold, reset, longest
        self._on_change, self._clock = on_change, clock
        self._circuits: dict[str, _Circuit] = {}

    def enter(self, key: str) -> Permit:
        """Leave to make one call; use it as a context manager or settle it by hand.

        Raises:
            CircuitOpenError: the circuit is open, or half-open with its probe under way.
        """
        with _lock:
            circuit = self._circuits.get(key) or self._circuits.setdefault(key, _Circuit())
            probe = circuit.state is not CircuitState.CLOSED
            refusal = self._refusal(circuit) if probe else None
            before, epoch = circuit.state, circuit.epoch
            if refusal is None and probe:
                circuit.state, circuit.probing_since = CircuitState.HALF_OPEN, self._clock.monotonic()
        if refusal is not None:
            raise CircuitOpenError(
                f"{key or 'The server'} failed {circuit.failures} times in a row and is left alone "
                f"for another {refusal:.1f} s.",
                retry_after=refusal,
            )
        if probe:
            self._tell(key, before, CircuitState.HALF_OPEN)
        return Permit(self, key, circuit, epoch)

    def state(self, key: str) -> CircuitState:
        """Where the circuit of `key` stands; closed when nothing has been called yet."""
        circuit = self._circuits.get(key)
        return CircuitState.CLOSED if circuit is None else circuit.state

    def reset(self, key: str) -> None:
        """Close the circuit of `key` and forget its failures."""
        with _lock:
            circuit = self._circuits.pop(key, None)
        if circuit is not None:
            self._tell(key, circuit.state, CircuitState.CLOSED)

    def _refusal(self, circuit: _Circuit) -> float | None:
        """Seconds for which a circuit that is not closed lets nobody through; None when it is time for a probe.

        A probe has `longest` to settle: one whose thread was killed before it could must not block the circuit for ever.
        """
        if circuit.probing_since is not None and self._clock.monotonic() - circuit.probing_since < self.longest:
            return self._pause(circuit)
        left = circuit.opened_at + self._pause(circuit) - self._clock.monotonic()
        return left if left > 0 else None

    def _pause(self, circuit: _Circuit) -> float:
        return min(self.longest, self.reset_after * 2.0 ** min(circuit.probes_failed, 32))

    def _settle(self, permit: Permit, healthy: bool | None) -> None:
        circuit = permit.circuit
        with _lock:
            if permit.epoch != circuit.epoch:
                return
            before = circuit.state
            circuit.probing_since = None
            if healthy:
                circuit.close()
            elif healthy is None:
                circuit.state = CircuitState.CLOSED if before is CircuitState.CLOSED else CircuitState.OPEN
            else:
                circuit.fail(self.threshold, self._clock.monotonic())
            after = circuit.state
        self._tell(permit.key, before, after)

    def _tell(self, key: str, before: CircuitState, after: CircuitState) -> None:
        if self._on_change is None or before is after:
            return
        try:
            self._on_change(key, before, after)
        except Exception:  # noqa: BLE001 - an observer must not harm what it observes
            _log.exception("The breaker's on_change hook failed for %s", key)


class _Circuit:
    __slots__ = ("epoch", "failures", "opened_at", "probes_failed", "probing_since", "state")

    def __init__(self) -> None:
        self.state = CircuitState.CLOSED
        self.failures = 0
        self.opened_at = 0.0
        self.probes_failed = 0
        self.probing_since: float | None = None
        self.epoch = 0

    def close(self) -> None:
        if self.state is not CircuitState.CLOSED:
            self.epoch += 1
        self.state, self.failures, self.probes_failed = CircuitState.CLOSED, 0, 0

    def fail(self, threshold: int, now: float) -> None:
        self.failures += 1
        if self.state is not CircuitState.CLOSED:
            self.probes_failed += 1
        elif self.failures < threshold:
            return
        self.state, self.opened_at = CircuitState.OPEN, now
        self.epoch += 1


class Permit:
    """Leave to make one call.

    Its outcome counts once; that of a call that ends after its circuit has changed counts as nothing.
    """

    __slots__ = ("_breaker", "_settled", "circuit", "epoch", "key")

    def __init__(self, breaker: Breaker, key: str, circuit: _Circuit, epoch: int) -> None:
        self._breaker, self.key, self.circuit, self.epoch = breaker, key, circuit, epoch
        self._settled = False

    def settle(self, healthy: bool | None) -> None:
        """Report the outcome: the server works, it does not, or (None) nothing can be said."""
        if not self._settled:
            self._settled = True
            self._breaker._settle(self, healthy)  # noqa: SLF001 - the two are one mechanism in two classes


def _renew_lock() -> None:
    global _lock  # noqa: PLW0603 - another thread may have held it when this process was forked
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)
