"""Where the example programs are, and what they read."""

import os
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATTERNS = ROOT / "implementation_examples" / "patterns"


def variables(place, home):
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "CODEGEN_TOKEN": place.admin.token,
        "CODEGEN_ORG_ID": "1",
        "CODEGEN_BASE_URL": place.server.base_url,
    }
