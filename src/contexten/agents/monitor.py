"""`RealTimeMonitor`: how an agent's runs stand now, for a dashboard, with alerts by threshold."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from contexten.errors import UsageError
from contexten.resilience import CircuitState
from contexten.telemetry.alerts import AlertRule, Alerts
from contexten.telemetry.health import HealthChecks

if TYPE_CHECKING:
    from contexten.agents.enhanced import AsyncEnhancedAgent, EnhancedAgent
    from contexten.agents.outcome import RunOutcome
    from contexten.telemetry.alerts import Alert, Target

ERROR_RATE, SLOW_SECONDS = 0.25, 300.0
FEW = 4
"""Ended runs below which an error rate says nothing."""
RECENT_ALERTS = 50


class RealTimeMonitor:
    """Watches one agent.

    Args:
        agent: whose runs are watched.
        error_rate: share of runs without success, 0 to 1, above which an alert fires.
        p95_seconds: 95th percentile of the runs' seconds above which an alert fires.
        for_seconds: how long either must last.
        rules: more rules.
        targets: told of each alert, such as `webhook(...)`.
    """

    def __init__(  # noqa: PLR0913 - thresholds, each by name
        self,
        agent: EnhancedAgent | AsyncEnhancedAgent,
        *,
        error_rate: float = ERROR_RATE,
        p95_seconds: float = SLOW_SECONDS,
        for_seconds: float = 0.0,
        rules: list[AlertRule] | None = None,
        targets: list[Target] | None = None,
    ) -> None:
        if not 0 <= error_rate <= 1:
            raise UsageError(f"error_rate is a share from 0 to 1, got {error_rate}")
        self._agent = agent
        own = [
            AlertRule(
                "error_rate", self._error_rate, ">", error_rate, for_seconds, "critical", "Too many runs do not succeed"
            ),
            AlertRule("p95_seconds", self._p95, ">", p95_seconds, for_seconds, "warning", "Runs take too long"),
        ]
        self.alerts = Alerts([*own, *(rules or [])], [self._keep, *(targets or [])])
        self.health = HealthChecks()
        self.health.add("server", self._server)
        self._recent: list[Alert] = []

    def get_dashboard_data(self) -> dict[str, Any]:
        """How things stand now.

        Returns:
            `timestamp` (ISO 8601, UTC); `metrics_summary` with `status` (`idle`, `healthy`, `degraded` or `unhealthy`), the
            counts `asked`, `active`, `ended`, `stopped`, `failed`, the shares and seconds `error_rate`, `p50`, `p95`, and `per_second`; `alerts` with
            `firing` names and `recent` changes; `health`, from the health checks; `recent_runs`, newest first.
        """
        self.alerts.evaluate()
        figures = self._agent.statistics.figures()
        health = self.health.run()
        summary = {
            "status": self._status(health["overall_status"]),
            **asdict(figures),
            "error_rate": figures.error_rate,
        }
        return {
            "timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
            "metrics_summary": summary,
            "alerts": {"firing": self.alerts.firing, "recent": [asdict(alert) for alert in self._recent]},
            "health": health,
            "recent_runs": [_shown(outcome) for outcome in self._agent.statistics.newest()],
        }

    def _status(self, health: str) -> str:
        if health != "healthy" or "error_rate" in self.alerts.firing:
            return "unhealthy"
        if self.alerts.firing:
            return "degraded"
        return "healthy" if self._agent.statistics.figures().asked else "idle"

    def _error_rate(self) -> float | None:
        figures = self._agent.statistics.figures()
        return figures.error_rate if figures.ended >= FEW else None

    def _p95(self) -> float | None:
        figures = self._agent.statistics.figures()
        return figures.p95 if figures.ended >= FEW else None

    def _server(self) -> dict[str, Any]:
        """Whether the agent's circuit breaker lets requests through: what is known without sending one."""
        client = self._agent.api_client
        breaker = client.policy.breaker
        state = breaker.state(client.host) if breaker else CircuitState.CLOSED
        return {"status": "error" if state is CircuitState.OPEN else "ok", "breaker": str(state)}

    def _keep(self, alert: Alert) -> None:
        self._recent = [alert, *self._recent][:RECENT_ALERTS]


def _shown(outcome: RunOutcome) -> dict[str, Any]:
    return {
        "run_id": outcome.run_id,
        "prompt": outcome.prompt,
        "status": outcome.status,
        "ok": outcome.ok,
        "seconds": outcome.seconds,
        "web_url": outcome.web_url,
        "error": str(outcome.error) if outcome.error else None,
    }
