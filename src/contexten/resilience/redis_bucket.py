"""Calls counted in Redis: pyrate-limiter's bucket, made to count what other processes have stamped a moment later.

The library counts up to the caller's own time, so a process that was held up between looking at the clock and asking
Redis would not see the calls of the others. It also forgets its script when Redis starts again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyrate_limiter import RedisBucket
from pyrate_limiter.buckets.redis_bucket import LuaScript
from redis.exceptions import NoScriptError

if TYPE_CHECKING:
    from pyrate_limiter import Rate, RateItem
    from redis import Redis

_UP_TO_NOW, _ALL = "window_start, now)", "window_start, '+inf')"
_SCRIPT = LuaScript.PUT_ITEM.replace(_UP_TO_NOW, _ALL)


class SharedBucket(RedisBucket):
    """A bucket of one Redis key, for any number of processes.

    Args:
        rates: what is allowed.
        redis: a synchronous client.
        name: the key.
    """

    def __init__(self, rates: list[Rate], redis: Redis, name: str) -> None:
        super().__init__(rates, redis, name, _loaded(redis))

    def _check_and_insert(self, item: RateItem) -> Any:
        try:
            return super()._check_and_insert(item)
        except NoScriptError:
            self.script_hash = _loaded(self.redis)
            return super()._check_and_insert(item)


def _loaded(redis: Any) -> str:
    if _ALL not in _SCRIPT:
        raise TypeError("this version of pyrate-limiter counts in another way")
    return str(redis.script_load(_SCRIPT))
