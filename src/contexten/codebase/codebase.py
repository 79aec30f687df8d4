"""A folder of code that can be asked questions."""

from __future__ import annotations

import re
import threading
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from contexten.codebase.examples import usage_examples
from contexten.codebase.model import Example, File, Import, Problem, Reference, Symbol, TextMatch
from contexten.codebase.packing import relevant_context
from contexten.codebase.questions import Questions
from contexten.codebase.record import KINDS
from contexten.codebase.snapshot import Snapshot
from contexten.codebase.store import Store
from contexten.codebase.update import Changes, Updater
from contexten.codebase.walk import Scope, resolved_root
from contexten.codebase.watch import Watch
from contexten.errors import CodebaseError, UsageError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Collection, Sequence

    from contexten.codebase.context import RelevantContext

USER_CACHE = "user cache folder"


class Codebase:
    """A folder of code that can be asked questions. Nothing is ever written into the folder.

    Every question is answered from one consistent state, also while another thread refreshes.
    """

    def __init__(self, scope: Scope, cache: Path | None = None) -> None:
        self._scope = scope
        self._updater = Updater(scope, Store(cache, scope.root) if cache is not None else None)
        self._refreshing = threading.Lock()
        self._questions = Questions(Snapshot.empty(), self._lines)

    @classmethod
    def from_path(
        cls,
        path: str | os.PathLike[str],
        *,
        include: Sequence[str] | None = None,
        exclude: Sequence[str] | None = None,
        cache: str | os.PathLike[str] | None = USER_CACHE,
    ) -> Codebase:
        """Read the code in a folder, a git repository or not.

        Args:
            path: the folder.
            include: patterns as in `.gitignore`; only files that match one are read.
            exclude: patterns as in `.gitignore` to leave out, beside what `.gitignore` files leave out.
            cache: folder to keep the index in, so that the next start reads only what has changed. By default the
                user's cache folder (`CONTEXTEN_CACHE_DIR`); None keeps the index in memory alone.

        Raises:
            CodebaseError: there is no such folder.
        """
        scope = Scope(resolved_root(path), tuple(include or ()), tuple(exclude or ()))
        found = cls(scope, _cache_folder(cache))
        found.refresh()
        return found

    @property
    def root(self) -> Path:
        """The folder."""
        return self._scope.root

    @property
    def questions(self) -> Questions:
        """The state as it is now: answers taken from one `questions` agree with each other, whatever is refreshed."""
        return self._questions

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.root.name or str(self.root)

    def refresh(self) -> Changes:
        """Read what has changed since the last time; questions asked meanwhile are answered from the state before."""
        with self._refreshing:
            before = self._questions.snapshot
            snapshot, changes = self._updater.update(before)
            if snapshot is not before:
                self._questions = Questions(snapshot, self._lines, self._questions.graph)
            return changes

    def watch(self, interval: float = 2.0, on_change: Callable[[Changes], None] | None = None) -> Watch:
        """Refresh every few seconds in a thread, until the watch is closed: `with codebase.watch(): …`.

        Args:
            interval: seconds between two looks at the folder.
            on_change: called in that thread with what was found; it must not raise.

        Raises:
            UsageError: the interval is not positive.
        """
        if interval <= 0:
            raise UsageError(f"interval must be > 0 seconds, got {interval}")
        return Watch(self.refresh, interval, on_change)

    # files

    @property
    def files(self) -> list[File]:
        """Every file, by path."""
        snapshot = self._questions.snapshot
        return [found for path in sorted(snapshot.entries) if (found := snapshot.file(path))]

    @property
    def problems(self) -> list[Problem]:
        """Files that could not be read or understood."""
        return list(self._questions.snapshot.problems)

    def file(self, path: str) -> File | None:
        """The file at a path relative to the folder."""
        return self._questions.snapshot.file(path)

    def find_files(self, text: str) -> list[File]:
        """Files whose path contains a text, ignoring case; those with it in their name come first."""
        needle = text.casefold()
        found = [each for each in self.files if needle in each.path.casefold()]
        return sorted(found, key=lambda each: (needle not in each.path.rpartition("/")[2].casefold(), each.path))

    def source(self, path: str, start: int = 1, end: int | None = None) -> str:
        """Lines of a file, from 1, both ends included.

        Raises:
            CodebaseError: the file is not part of the codebase, or cannot be read any more.
        """
        return "\n".join(self._read_lines(path)[max(start, 1) - 1 : end])

    def search_text(
        self, needle: str, *, limit: int = 200, regex: bool = False, ignore_case: bool = True
    ) -> list[TextMatch]:
        """Lines that contain a text or match a regular expression, by path and line.

        Raises:
            CodebaseError: the regular expression is malformed.
        """
        try:
            pattern = re.compile(needle if regex else re.escape(needle), re.IGNORECASE if ignore_case else 0)
        except re.error as error:
            raise CodebaseError(f"The regular expression {needle!r} is malformed: {error}.") from error
        found: list[TextMatch] = []
        for path in sorted(self._questions.snapshot.entries):
            for number, line in enumerate(self._lines(path), 1):
                if pattern.search(line):
                    found.append(TextMatch(path, number, line.strip()))
                    if len(found) >= limit:
                        return found
        return found

    def _lines(self, path: str) -> list[str]:
        try:
            return self._read_lines(path)
        except CodebaseError:
            return []

    def _read_lines(self, path: str) -> list[str]:
        if path not in self._questions.snapshot.entries:
            raise CodebaseError(f"There is no file {path} in {self.root}.")
        try:
            text = (self.root / path).read_bytes().decode("utf-8", "replace")
        except OSError as error:
            raise CodebaseError(f"{path} cannot be read: {error.strerror}.") from error
        lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")  # splitlines() knows more ends than Python
        return lines if lines[-1] else lines[:-1]

    # symbols

    def symbols(self, name: str) -> list[Symbol]:
        """Definitions by simple name, qualified name (`package.module.Class.method`) or the end of one.

        When nothing has the name exactly, upper and lower case are taken for the same.
        """
        return self._questions.symbols(name)

    def spellings(self, name: str, limit: int = 3) -> list[str]:
        """Names of definitions that are written much like a name, the most alike first."""
        return get_close_matches(name.rpartition(".")[2], sorted(self._questions.snapshot.defined), n=limit)

    def symbols_in(self, path: str) -> list[Symbol]:
        """Every definition in a file, in source order."""
        return self._questions.symbols_in(path)

    def module(self, path: str) -> Symbol | None:
        """A file as a symbol: its module."""
        return self._questions.snapshot.symbol(path, -1)

    def references(
        self, symbol: Symbol, kinds: Collection[str] | None = None, *, possible: bool = False
    ) -> list[Reference]:
        """Where a symbol is used, by path and line; its definition is not among them.

        Args:
            symbol: what to look for.
            kinds: of the references wanted; all by default. See `Reference.kind`.
            possible: also uses of a method's or attribute's name on objects of unknown type (`certain` is False).

        Raises:
            UsageError: there is no such kind.
        """
        if wrong := sorted(set(kinds or ()) - set(KINDS)):
            raise UsageError(f"There is no kind of reference {wrong[0]!r}. The kinds are {', '.join(KINDS)}.")
        return self._questions.references(symbol, kinds, possible=possible)

    def callers(self, symbol: Symbol, depth: int = 1) -> list[Reference]:
        """Calls of a symbol; with a depth over 1 also the calls of its callers, and so on."""
        return self._questions.callers(symbol, depth)

    def callees(self, symbol: Symbol, depth: int = 1) -> list[Reference]:
        """Calls inside a symbol of what the codebase defines; `target` says what is called."""
        return self._questions.callees(symbol, depth)

    def subclasses(self, symbol: Symbol, *, direct: bool = False) -> list[Symbol]:
        """Classes that derive from a class, through others as well unless `direct`."""
        return self._questions.subclasses(symbol, direct=direct)

    def bases(self, symbol: Symbol) -> list[Symbol]:
        """Classes of the codebase that a class derives from, in the order in which attributes are looked up."""
        return self._questions.bases(symbol)

    def members(self, symbol: Symbol) -> list[Symbol]:
        """What a class, function or module defines directly, in source order."""
        return self._questions.members(symbol)

    def imports(self, path: str) -> list[Import]:
        """What a file imports, in source order."""
        return self._questions.graph.imports(path)

    def importers(self, path: str) -> list[Import]:
        """Imports by which other files take something from a file."""
        return self._questions.graph.importers(path)

    def rank(self) -> list[tuple[str, float]]:
        """Files by importance, the most important first: PageRank over imports. The scores add up to 1."""
        return list(self._questions.graph.ranking)

    def cycles(self) -> list[list[str]]:
        """Groups of files that import each other in a circle, the largest first; imports inside functions do not count."""
        return [list(each) for each in self._questions.graph.cycles]

    # for a task

    def similar(self, symbol: Symbol, limit: int = 10) -> list[tuple[Symbol, float]]:
        """Functions (or classes) that are about the same words, with a likeness from 0 to 1, the most alike first."""
        return self._questions.similar(symbol, limit)

    def usage_examples(self, symbol: Symbol, limit: int = 3) -> list[Example]:
        """Calls of a symbol with the lines around them, from as many different files as possible."""
        return usage_examples(self._questions, symbol, limit)

    def relevant_context(
        self, prompt: str, caller: Symbol | str | None = None, budget_tokens: int = 4000
    ) -> RelevantContext:
        """What of the codebase a prompt needs: the best whole, then signatures, then bodies where the budget allows.

        The same codebase, prompt, caller and budget always give the same context.

        Args:
            prompt: the task, in a person's words.
            caller: where the code goes: a symbol, a path, `path:line` or a name.
            budget_tokens: length of the text at most, at four characters for a token.

        Raises:
            CodebaseError: the caller is not part of the codebase.
            UsageError: the budget is not positive.
        """
        if budget_tokens <= 0:
            raise UsageError(f"budget_tokens must be > 0, got {budget_tokens}")
        return relevant_context(self._questions, prompt, caller, budget_tokens)


def _cache_folder(cache: str | os.PathLike[str] | None) -> Path | None:
    if cache is None:
        return None
    if cache != USER_CACHE:
        return Path(cache).expanduser().resolve()
    from contexten.settings import ServerSettings

    return ServerSettings().cache_dir
