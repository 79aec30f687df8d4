"""Modules that are generated when they are imported: `from contexten.autogen.tokens import generate_token`.

Importing this package asks for nothing. It takes the settings (`CONTEXTEN_AUTOGEN…`) and `[tool.contexten.autogen]` of the project's
pyproject.toml; `init` says more.
"""

from __future__ import annotations

from contexten.autogenlib.finder import install
from contexten.autogenlib.legacy import LegacyAdapter

__all__ = ["init"]

init = LegacyAdapter().init

install(__name__)
