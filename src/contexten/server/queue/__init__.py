"""The durable queue: what does the turns of runs, once, through crashes and restarts."""

from contexten.server.queue.queue import Pace, Queue

__all__ = ["Pace", "Queue"]
