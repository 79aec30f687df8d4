"""The secrets of tokens: only a digest and a few first characters are ever stored."""

from __future__ import annotations

import hashlib
import secrets

_MARK = "ctx_"
_RANDOM_BYTES = 32
_PREFIX_LENGTH = 8


def new_secret() -> str:
    """A secret with 256 random bits: `ctx_` and 43 characters."""
    return _MARK + secrets.token_urlsafe(_RANDOM_BYTES)


def digest(secret: str) -> str:
    """What is stored of a secret. It has too many random bits to be guessed, so one fast hash is enough."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def prefix(secret: str) -> str:
    """The first characters, by which a person recognises a token."""
    return secret[:_PREFIX_LENGTH]
