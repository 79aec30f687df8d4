"""The engine `remote`: hands a run to another server that speaks the Codegen API, and shows here what happens there.

`destination` is that server; `handover` makes the run there, once, whatever happens in between; `mirror` brings its log
back and `ending` what it came to; `engine` is the engine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from contexten._lazy import fetching

if TYPE_CHECKING:
    from contexten.engines.remote.engine import RemoteEngine

__all__ = ["RemoteEngine"]

__getattr__ = fetching(__name__, {"RemoteEngine": ".engine"})
