"""Keeps Reflex apart from the folder, and the terminal, of whoever started the server."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import reflex.assets
import reflex_base.config

from contexten.dashboard.rxconfig import config

if TYPE_CHECKING:
    from reflex_base.config import Config


def set_apart() -> None:
    """Have Reflex use our configuration wherever it runs, before it looks for one.

    The current folder is somebody's project: Reflex would run a file `rxconfig.py` there, and tidy up a folder `assets`.
    What it has to tell below an error is for whoever makes the pages.

    Raises:
        RuntimeError: this version of Reflex looks in another way.
    """
    for module, name, replacement in (
        (reflex_base.config, "_get_config", _ours),
        (reflex.assets, "remove_stale_external_asset_symlinks", _nothing),
    ):
        if not hasattr(module, name):
            raise RuntimeError(f"This version of Reflex has no {module.__name__}.{name}.")
        setattr(module, name, replacement)
    for name in ("reflex", "reflex_base"):
        logging.getLogger(name).setLevel(logging.ERROR)


def _ours(_: object = None) -> Config:
    return config


def _nothing() -> None:
    pass
