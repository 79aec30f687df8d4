"""What a server inside this process logs: short lines for the person at a terminal, JSON for everybody else."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from contexten._plain import clean
from contexten.cli.output import styled

if TYPE_CHECKING:
    from contexten.settings import ServerSettings

_STYLES = {logging.WARNING: "yellow", logging.ERROR: "red", logging.CRITICAL: "red"}


def show_logs(settings: ServerSettings) -> None:
    """Send the logs of this process, those of the libraries included, to standard error.

    Args:
        settings: how severe a record must be, and the form: `auto` is text on a terminal, JSON elsewhere.
    """
    as_json = settings.log_format == "json" or (settings.log_format == "auto" and not sys.stderr.isatty())
    if as_json:
        from contexten.telemetry.logs import configure_logging

        configure_logging(settings.log_level, json=True)
        return
    root = logging.getLogger()
    root.handlers = [_Lines()]
    root.setLevel(settings.log_level)


class _Lines(logging.Handler):
    """`14:05:09 warning  what happened`, above a moving line if there is one, without what could steer the terminal."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        try:
            sys.stderr.write(self._line(record))  # whatever stands there now: a moving line puts a stand-in there
            sys.stderr.flush()
        except Exception:  # noqa: BLE001 - as the standard library's handlers do: a log must not end the program
            self.handleError(record)

    def _line(self, record: logging.LogRecord) -> str:
        from contexten.telemetry.logs import hide_secrets

        moment = datetime.fromtimestamp(record.created, UTC).astimezone()
        level = f"{record.levelname.lower():<8}"
        level = styled(level, _STYLES[record.levelno], sys.stderr) if record.levelno in _STYLES else level
        return f"{moment:%H:%M:%S} {level} {clean(hide_secrets(self.format(record)))}\n"
