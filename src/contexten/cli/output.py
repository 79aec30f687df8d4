"""Writing for people and for programs: colours only on a terminal, nothing that could steer the terminal.

What a run says comes from models, tools and other people's files, so control characters never reach the terminal.
"""

from __future__ import annotations

import json
import os
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from contexten._plain import CONTROL, clean, one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}
_GAP = "  "
_PIPED = 120


def is_terminal(stream: TextIO) -> bool:
    """Whether a person sees the stream as it is written."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def styled(text: str, style: str, stream: TextIO | None = None) -> str:
    """The text in a style of the terminal, or unchanged where there is none or `NO_COLOR` is set."""
    if os.environ.get("NO_COLOR") or not is_terminal(stream or sys.stdout):
        return text
    return f"\x1b[{_STYLES[style]}m{text}\x1b[0m"


def say(text: str = "") -> None:
    """Write a line of result to standard output at once. The text must be `clean`.

    When the reader has gone away, as `head` does, there is nobody to tell: the program ends in silence.
    """
    try:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None


def settle_streams() -> None:
    """Make the standard streams usable whatever the caller left of them.

    A closed one reads and writes nothing; characters that the encoding lacks are written as `?`.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 (open to the end)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def note(text: str) -> None:
    """Write a line that is not result to standard error."""
    _tell("\n".join(wrapped(clean(text), columns(sys.stderr))))


def fail(message: str, code: int, *, json: Mapping[str, Any] | None = None) -> int:
    """Tell on standard error what went wrong and return the exit code.

    Args:
        message: what happened, and the next step.
        code: the exit code.
        json: what else is known, for a program that asked for JSON; None writes the message for a person.
    """
    if json is None:
        said = "\n".join(wrapped(clean(f"error: {message}"), columns(sys.stderr)))
        _tell(f"{styled('error:', 'red', sys.stderr)}{said.removeprefix('error:')}")
    else:
        _tell(_json({"error": {"message": message, "exit_code": code, **json}}))
    return code


def _tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def emit(value: Any) -> None:
    """Write a value as JSON for programs; models of the API are written with all their fields."""
    say(_json(value, indent=2))


def emit_line(value: Any) -> None:
    """Write a value as one line of JSON."""
    say(_json(value))


def _json(value: Any, indent: int | None = None) -> str:
    """JSON in which only ASCII stands where the reader may not take more, and no control character anywhere."""
    plain = (getattr(sys.stdout, "encoding", None) or "utf-8").lower() not in {"utf-8", "utf8"}
    text = json.dumps(value, default=_plain, ensure_ascii=plain, indent=indent)
    return CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _plain(value: Any) -> Any:
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json", serialize_as_any=True)
    return str(value)


def paged(  # noqa: PLR0913 - a page and where it stands
    noun: str, heads: Sequence[str], rows: Sequence[Sequence[object]], *, skip: int, total: int, first: str
) -> None:
    """Write a page of a list as a table, and how to see what comes after it.

    Args:
        noun: what the rows are; `contexten NOUN list` lists them.
        heads: names of the columns.
        rows: the page.
        skip: rows before the page.
        total: rows in all.
        first: how to make the first one.
    """
    if not rows:
        note(f"There are no more {noun}." if total else f"There are no {noun} yet. {first}")
        return
    table(heads, rows)
    if total > skip + len(rows):
        note(f"{len(rows)} of {total} {noun}. More: contexten {noun} list --skip {skip + len(rows)}")


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write rows under their heads, each on one line: in columns on a terminal, with tabs between the cells in a pipe.

    The last column is cut: on a terminal to the width that is left, in a pipe to 120 characters.
    """
    cells = [[one_line(str(cell)) for cell in row] for row in rows]
    if not is_terminal(sys.stdout):
        for *first, last in ([*heads], *cells):
            say("\t".join([*first, one_line(last, _PIPED)]))
        return
    widths = [max(map(_width, column)) for column in zip(heads, *cells, strict=True)]
    say(styled(_row(list(heads), widths), "dim"))
    for row in cells:
        say(_row(row, widths))


def room(used: int) -> int:
    """How many characters a line of the terminal has left after `used`; 0 in a pipe, where there is no end."""
    width = columns(sys.stdout)
    return max(20, width - used) if width else 0


def columns(stream: TextIO) -> int:
    """How many characters a line of a terminal has; 0 for a stream that is none, or one that does not say."""
    return os.get_terminal_size(stream.fileno()).columns if is_terminal(stream) else 0


def wrapped(text: str, width: int) -> list[str]:
    """A text in lines of at most `width` characters, broken between words; 0 leaves its lines as they are.

    What follows the first line of a paragraph or of an item stands below its first word.
    """
    lines = text.split("\n")
    return [part for line in lines for part in ([line] if not width or len(line) <= width else _broken(line, width))]


def _broken(line: str, width: int) -> list[str]:
    from textwrap import wrap

    hanging = " " * (len(line) - len(line.lstrip(" -*>")))
    return wrap(line, width, subsequent_indent=hanging, break_long_words=False, break_on_hyphens=False)


def counted(count: int, noun: str) -> str:
    """A number with its noun, which has an `s` when it is not 1."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def home_relative(path: str) -> str:
    """A path as people write it, with `~` for their home folder, `clean`."""
    path, home = clean(path), str(Path.home())
    return f"~{path[len(home) :]}" if path == home or path.startswith(f"{home}/") else path


def _row(cells: list[str], widths: list[int]) -> str:
    *first, last = cells
    padded = [cell + " " * (width - _width(cell)) for cell, width in zip(first, widths, strict=False)]
    return _GAP.join([*padded, _fitted(last, sum(widths[:-1]) + len(_GAP) * len(first))])


def _fitted(text: str, used: int) -> str:
    return one_line(text, room(used))


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)
