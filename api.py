"""The documents' way in: `python api.py` is `contexten up`, and `from api import CodegenClient` is the client."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

if find_spec("contexten") is None:
    sys.path.insert(0, str(Path(__file__).resolve().parent / "src"))

from contexten import CodegenClient

__all__ = ["CodegenClient"]

if __name__ == "__main__":
    from contexten.cli import main

    sys.argv.insert(1, "up")
    raise SystemExit(main())
