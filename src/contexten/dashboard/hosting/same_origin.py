"""A step of the build: pages talk to the server that they came from, whatever its address is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from reflex.plugins import Plugin

_ADDRESS = re.compile(r"""(["'`])(http|ws)://localhost:\d+(/[^"'`]*)\1""")
_ORIGIN = {"http": "location.origin", "ws": 'location.origin.replace(/^http/,"ws")'}


class SameOrigin(Plugin):
    """Replaces the address that Reflex bakes into the pages by that of the page itself."""

    def post_build(self, **context: Any) -> None:
        """Rewrite the one file that has the address.

        Raises:
            RuntimeError: the file or the address in it is not where this version of Reflex puts them.
        """
        assets = Path(context["static_dir"]) / "assets"
        files = [path for path in assets.glob("*.js") if _ADDRESS.search(path.read_text("utf-8"))]
        if len(files) != 1 or not files[0].name.startswith("reflex-env-"):
            raise RuntimeError(f"The server's address was expected in assets/reflex-env-*.js alone, not in {files}.")
        text = files[0].read_text("utf-8")
        files[0].write_text(_ADDRESS.sub(_of_page, text), "utf-8")


def _of_page(match: re.Match[str]) -> str:
    return f'{_ORIGIN[match[2]]}+"{match[3]}"'
