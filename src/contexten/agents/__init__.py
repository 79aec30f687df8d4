"""Agents for programs: they follow their runs, remember conversations, stream progress and say how they fare."""

from contexten.agents.collector import MetricsCollector
from contexten.agents.contextual import ContextualAgent
from contexten.agents.enhanced import AsyncEnhancedAgent, EnhancedAgent
from contexten.agents.monitor import RealTimeMonitor
from contexten.agents.outcome import RunOutcome, TraceStep
from contexten.agents.progress import Progress
from contexten.agents.statistics import Figures, RunStatistics
from contexten.agents.streaming import AsyncObservableStreamingAgent, Chunk, ObservableStreamingAgent

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
