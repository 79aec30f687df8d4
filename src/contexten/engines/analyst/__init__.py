"""The offline engine: answers questions about a repository by reading it, without a model.

`understanding` turns a prompt into questions, `plan` turns these into steps, each of which calls one of the `tools`, and
`answer` puts together what they found; `engine` goes through them and keeps the log. The tools stand on a `Repository`:
its code index, what a name stands for in it (`lookup`), its text, and the bodies of its functions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from contexten._lazy import fetching
from contexten.engines.analyst.engine import AnalystEngine

if TYPE_CHECKING:
    from contexten.engines.analyst.indexes import codebase_for

__all__ = ["AnalystEngine", "codebase_for"]

__getattr__ = fetching(__name__, {"codebase_for": ".indexes"})
