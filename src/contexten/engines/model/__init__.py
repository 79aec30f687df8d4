"""The engine that lets a model work on a repository: it asks, the model answers with calls of tools, until it is done.

`engine` prepares a run and `loop` does it, on one page. `tools` is all that a model can do; `conversation` is what it is
told; `limits`, `repetition` and `refusals` are the ways in which a run ends before it is finished; `providers` knows where
models are. pydantic-ai is imported when a run begins, and not before.
"""

from contexten.engines.model.engine import ModelEngine

__all__ = ["ModelEngine"]
