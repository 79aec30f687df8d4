"""The documents' way in: `python dashboard.py` serves the dashboard on port 3000, for the server that `.env` names."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

if find_spec("contexten") is None:
    sys.path.insert(0, str(Path(__file__).resolve().parent / "src"))

if __name__ == "__main__":
    from contexten.cli import main

    sys.argv[1:1] = ["dashboard", "serve"]
    raise SystemExit(main())
