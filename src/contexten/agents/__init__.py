"""Agents for programs: they follow their runs, remember conversations, stream progress and say how they fare.

The names are fetched when they are first used: who wants one agent does not load them all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from contexten._lazy import fetching

if TYPE_CHECKING:
    from contexten.agents.collector import MetricsCollector
    from contexten.agents.contextual import ContextualAgent
    from contexten.agents.enhanced import AsyncEnhancedAgent, EnhancedAgent
    from contexten.agents.monitor import RealTimeMonitor
    from contexten.agents.outcome import RunOutcome, TraceStep
    from contexten.agents.progress import Progress
    from contexten.agents.statistics import Figures, RunStatistics
    from contexten.agents.streaming import AsyncObservableStreamingAgent, Chunk, ObservableStreamingAgent

_HOMES = {
    "AsyncEnhancedAgent": "contexten.agents.enhanced",
    "AsyncObservableStreamingAgent": "contexten.agents.streaming",
    "Chunk": "contexten.agents.streaming",
    "ContextualAgent": "contexten.agents.contextual",
    "EnhancedAgent": "contexten.agents.enhanced",
    "Figures": "contexten.agents.statistics",
    "MetricsCollector": "contexten.agents.collector",
    "ObservableStreamingAgent": "contexten.agents.streaming",
    "Progress": "contexten.agents.progress",
    "RealTimeMonitor": "contexten.agents.monitor",
    "RunOutcome": "contexten.agents.outcome",
    "RunStatistics": "contexten.agents.statistics",
    "TraceStep": "contexten.agents.outcome",
}

__all__ = [
    "AsyncEnhancedAgent",
    "AsyncObservableStreamingAgent",
    "Chunk",
    "ContextualAgent",
    "EnhancedAgent",
    "Figures",
    "MetricsCollector",
    "ObservableStreamingAgent",
    "Progress",
    "RealTimeMonitor",
    "RunOutcome",
    "RunStatistics",
    "TraceStep",
]

__getattr__ = fetching(__name__, _HOMES)
