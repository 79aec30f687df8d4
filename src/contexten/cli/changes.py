"""What a run changed, as it is shown: the patch in colours, figures for each file, and what to do with it next."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from contexten._plain import clean, one_line
from contexten.cli.output import counted, is_terminal, note, room, say, styled
from contexten.errors import ApiError

if TYPE_CHECKING:
    from contexten.client import CodegenClient
    from contexten.protocol import AgentRun, AgentRunDiff, ChangedFile

_MINUS = "\u2212"
_BAR = 20
_STYLES = {"+": "green", "-": "red", "@": "cyan"}
_HEADINGS = ("diff --git ", "index ", "--- ", "+++ ", "new file ", "deleted file ", "old mode ", "new mode ", "rename ")


def show_patch(diff: AgentRunDiff) -> None:
    """Write the patch: in colours on a terminal, byte for byte in a pipe, so that `git apply` takes it."""
    if is_terminal(sys.stdout):
        for line in diff.patch.split("\n")[:-1]:
            say(_coloured(line))
    else:
        sys.stdout.flush()
        try:
            sys.stdout.buffer.write(diff.patch.encode())
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            say()  # which ends a program that nobody reads
    note_omitted(diff)


def show_figures(diff: AgentRunDiff) -> None:
    """Write a line for each file, and one for all of them."""
    width = max(len(_shown(file)) for file in diff.files)
    most = max(1, *(file.insertions + file.deletions for file in diff.files))
    for file in diff.files:
        say(f"  {_shown(file):<{width}}  {_figures(file)}  {_bar(file, most)}".rstrip())
    say(f"  {totals(diff)}")
    note_omitted(diff)


def nothing(run: AgentRun) -> str:
    """What to say of a run that has no changes (yet)."""
    if run.is_terminal:
        return f"Run {run.id} has changed nothing."
    return f"Run {run.id} goes on: what it changes is there when its turn ends. Follow it: contexten runs logs {run.id} --follow"


def totals(diff: AgentRunDiff) -> str:
    """How much was changed: files, lines added, lines removed."""
    return f"{counted(len(diff.files), 'file')}, +{diff.insertions} {_MINUS}{diff.deletions}"


def note_omitted(diff: AgentRunDiff) -> None:
    """Say which files' changes are not in the patch."""
    if omitted := [file.path for file in diff.files if file.omitted]:
        note(f"Not in the patch, because it is too large: {one_line(', '.join(omitted), 200)}")


def next_steps(client: CodegenClient, run_id: int) -> str | None:
    """The commands that look at a run's changes, take them and go on; None when it changed nothing."""
    try:
        diff = client.get_agent_run_diff(run_id)
    except ApiError:  # a server that keeps no changes
        return None
    if not diff.files:
        return None
    return (
        f"  diff: contexten runs diff {run_id} · apply: contexten runs apply {run_id} · "
        f'continue: contexten runs resume {run_id} "…"'
    )


def _coloured(line: str) -> str:
    text = clean(line).replace("\t", "    ")
    if line.startswith(_HEADINGS):
        return styled(text, "bold")
    return styled(text, _STYLES[line[0]]) if line[:1] in _STYLES else text


def _shown(file: ChangedFile) -> str:
    name = f"{file.previous} → {file.path}" if file.previous else file.path
    return one_line(name, max(20, room(30)) if room(30) else 0)


def _figures(file: ChangedFile) -> str:
    what = f"{'binary':<11}" if file.binary else f"+{file.insertions:<4} {_MINUS}{file.deletions:<4}"
    return f"{what} {file.status}"


def _bar(file: ChangedFile, most: int) -> str:
    if not room(0):
        return ""
    scale = min(1.0, _BAR / most)
    added, removed = (-(-int(count * scale * 1000) // 1000) for count in (file.insertions, file.deletions))
    return styled("+" * added, "green") + styled("-" * removed, "red")
