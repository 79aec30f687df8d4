"""`contexten version`."""

from __future__ import annotations

import platform

from contexten._version import __version__
from contexten.cli.output import emit, say
from contexten.cli.words import Json, application

app = application()


@app.command(epilog="Example: contexten version --json")
def version(*, json: Json = False) -> None:
    """Show the version of Contexten and of the Python that runs it."""
    if json:
        emit({"contexten": __version__, "python": platform.python_version()})
    else:
        say(f"contexten {__version__} (Python {platform.python_version()})")
