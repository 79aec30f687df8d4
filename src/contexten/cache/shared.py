"""The middle tier: Redis, to share entries between machines. Used only when an address is given."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from contexten.cache.entry import NEVER, Entry
from contexten.errors import MissingExtraError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS = 1.0
"""How long Redis may take to answer before it is done without."""
_BATCH = 500
_LONGEST = 10**15
"""Milliseconds that Redis takes for a lifetime at most, about."""


class RedisTier:
    """See `Tier`. What does not fit is evicted by Redis as it is configured.

    Args:
        url: such as `redis://127.0.0.1:6379/0`. It may have a password in it and is shown nowhere.
        name: what the keys begin with.
        clock: seconds since the epoch.

    Raises:
        MissingExtraError: the package `redis` is not installed.
        UsageError: the address cannot be meant.
    """

    name = "redis"
    evictions = 0

    def __init__(self, url: str, name: str, clock: Callable[[], float]) -> None:
        try:
            import redis
        except ImportError as error:
            raise MissingExtraError("A cache in Redis", "redis") from error
        self._prefix = f"contexten:cache:{name}:".encode()
        self._clock = clock
        try:
            self._redis: Any = redis.Redis.from_url(url, socket_timeout=SECONDS, socket_connect_timeout=SECONDS)
        except ValueError:
            raise UsageError("The address of Redis cannot be used: it must look like redis://host:6379/0.") from None
        self.faults: tuple[type[Exception], ...] = (redis.RedisError, OSError)

    def get(self, key: bytes) -> Entry | None:
        """The entry of a key."""
        packed = self._redis.get(self._prefix + key)
        entry = Entry.unpacked(packed) if isinstance(packed, bytes) and packed else None
        return entry if entry and entry.expires_at > self._clock() else None

    def put(self, key: bytes, entry: Entry) -> None:
        """Keep an entry."""
        lifetime = None
        if entry.expires_at < NEVER:
            left = math.ceil((entry.expires_at - self._clock()) * 1000)
            lifetime = left if left < _LONGEST else None
        if lifetime is not None and lifetime <= 0:
            self.delete(key)
        else:
            self._redis.set(self._prefix + key, entry.packed(), px=lifetime)

    def delete(self, key: bytes) -> None:
        """Forget a key."""
        self._redis.delete(self._prefix + key)

    def clear(self) -> None:
        """Forget everything of this name; others' keys stay."""
        pattern = b"".join(b"\\" + bytes([byte]) if byte in b"*?[]^\\" else bytes([byte]) for byte in self._prefix)
        keys: list[bytes] = []
        for key in self._redis.scan_iter(match=pattern + b"*", count=_BATCH):
            keys.append(key)
            if len(keys) >= _BATCH:
                self._redis.delete(*keys)
                keys.clear()
        if keys:
            self._redis.delete(*keys)

    def figures(self) -> None:
        """Unknown: others use it as well."""
        return

    def after_fork(self) -> None:
        """Nothing: its connections notice by themselves."""

    def close(self) -> None:
        """Close the connections."""
        self._redis.close()
