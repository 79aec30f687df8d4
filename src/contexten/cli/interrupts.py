"""Ctrl-C is never lost: one that came where Python drops exceptions is given again."""

from __future__ import annotations

import _thread
import signal
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

_SOON = 0.05
"""Seconds: by then the callback is over. In it, the interrupt would be dropped once more."""


def keep() -> None:
    """From now on, give an interrupt again that fell into a finalizer or a callback of a weak reference."""
    sys.unraisablehook = _again


def _again(dropped: UnraisableHookArgs) -> None:
    if dropped.exc_type is None or not issubclass(dropped.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(dropped)
        return
    timer = threading.Timer(_SOON, _interrupt)
    timer.daemon = True
    timer.start()


def _interrupt() -> None:
    main = threading.main_thread().ident
    if hasattr(signal, "pthread_kill") and main is not None:
        signal.pthread_kill(main, signal.SIGINT)  # wakes it, too
    else:
        _thread.interrupt_main()
