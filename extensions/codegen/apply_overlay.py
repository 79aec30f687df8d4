"""Applies the overlay to the `codegen` of the interpreter that runs this file; the same as `contexten overlay apply`."""  # noqa: INP001 - a program, not part of a package

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

if find_spec("contexten") is None:
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "src"))

from contexten.overlay.__main__ import VERBS, main

if __name__ == "__main__":
    words = sys.argv[1:]
    sys.exit(main(words if words[:1] and words[0] in VERBS else ["apply", *words]))
