"""Where the example programs are, and what they read."""

import os
import re
import subprocess
import sys
from pathlib import Path

from running_server import running

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


def examples(guide):
    """The Python examples of a page."""
    return re.findall(r"```python\n(.*?)```", guide, re.DOTALL)


def run_examples(guide, folder):
    """Run the Python examples of a page, one after the other, against a server of their own."""
    with running(folder) as place:
        return subprocess.run(
            [sys.executable, "-W", "error", "-c", "\n".join(examples(guide))],
            env=variables(place, folder), cwd=folder, capture_output=True, text=True, timeout=90, check=False,
        )  # fmt: skip
