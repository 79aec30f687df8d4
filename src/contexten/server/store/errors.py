"""What the store refuses, one class for each answer that a caller can act on.

`StoreUnavailableError` (disk full, database locked or out of reach) comes from `contexten.errors`.
"""

from __future__ import annotations

from contexten.errors import StoreError


class NotThereError(StoreError):
    """There is no such thing in this organization; the same words whether it is absent or someone else's."""


class RunBusyError(StoreError):
    """The run goes on, which does not allow this: it ends by itself."""


class RunRefusedError(StoreError):
    """The run does not allow this, and waiting does not change that."""


class IdempotencyConflictError(StoreError):
    """The idempotency key was used before, with another request."""


class LastAdminError(StoreError):
    """The last admin token of an organization cannot be revoked: nobody could make another."""
