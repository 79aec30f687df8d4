"""Live streams: one tail over the store's events feeds every open event stream."""

from contexten.server.live.hub import Delivery, Hub, Subscription

__all__ = ["Delivery", "Hub", "Subscription"]
