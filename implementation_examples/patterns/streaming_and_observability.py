"""A run as a live stream, with figures and alerts. Run it against a server: `contexten up`, then this file.

Reads CODEGEN_TOKEN, CODEGEN_ORG_ID, CODEGEN_BASE_URL and LOG_LEVEL; with none of them set it finds the local server.
"""

from __future__ import annotations

import os
import sys

from contexten.agents import MetricsCollector, ObservableStreamingAgent, RealTimeMonitor
from contexten.errors import ContextenError
from contexten.telemetry.alerts import AlertRule, Alerts, webhook
from contexten.telemetry.logs import configure_logging
from contexten.telemetry.prometheus import exposition
from contexten.telemetry.tracing import export_traces, invoke_agent

__all__ = [
    "AlertRule",
    "Alerts",
    "MetricsCollector",
    "ObservableStreamingAgent",
    "RealTimeMonitor",
    "export_traces",
    "exposition",
    "invoke_agent",
    "webhook",
]


def main() -> int:
    """Stream a run, then say how the agent fares."""
    configure_logging(os.environ.get("LOG_LEVEL", "WARNING"))
    with ObservableStreamingAgent() as agent:
        for chunk in agent.run_streaming("Give me an overview"):
            first = chunk["content"].strip().split("\n", 1)[0]
            print(f"{chunk['progress']:5.1f}% {chunk['type']:<9} {first}")  # noqa: T201 - a program
        summary = RealTimeMonitor(agent).get_dashboard_data()["metrics_summary"]
        print(f"status {summary['status']}, p95 {summary['p95']:.2f} s, error rate {summary['error_rate']:.0%}")  # noqa: T201 - a program
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ContextenError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
