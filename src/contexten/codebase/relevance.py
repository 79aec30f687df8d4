"""Which definitions matter for a task: by the names and words of the prompt, and by nearness to where the code goes."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from contexten.codebase.evidence import Evidence, Scored, in_order
from contexten.codebase.lexicon import DOCUMENTS
from contexten.codebase.model import Symbol
from contexten.codebase.record import CALL, READ
from contexten.codebase.resolve import Entity
from contexten.codebase.synonyms import synonyms
from contexten.codebase.terms import identifiers_in, plain_words_in, stem, words_in
from contexten.errors import CodebaseError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contexten.codebase.lexicon import Place
    from contexten.codebase.questions import Questions

_NAMED, _NAMED_IN_WORDS, _NAMED_PLAINLY, _WORDS = 0.9, 0.7, 0.3, 0.6
_LONGEST_NAME = 4
"""Words that a name may have to be recognized in a sentence."""
_OWN_CLASS, _OWN_MEMBER, _BASE, _BASE_MEMBER = 0.5, 0.4, 0.35, 0.2
_IMPORTED, _SAME_FILE, _USED_BESIDE, _IMPORTED_MEMBER = 0.35, 0.25, 0.3, 0.06
_CALLED, _CALLS, _HOLDS = 0.4, 0.2, 0.3
_CENTRAL, _RECENT = 0.06, 0.04
_WORD_CANDIDATES = 120
_TASK_WORDS = frozenset(
    map(stem, ("add", "change", "create", "fix", "implement", "make", "remove", "support", "update", "write"))
)
_TASK_WEIGHT = 0.25
"""Words that say what to do with the code say little about which code."""
_SYNONYM_WEIGHT = 0.3
_TEST_SHARE = 0.5
"""What is left of the score of tests when the task is not about them."""
_TEST_WORDS = frozenset(map(stem, ("test", "fixture", "coverage", "mock", "assertion")))
_TEST_PATH = re.compile(
    r"(^|/)(tests?|__tests__)/|(^|/)(test_[^/]*|[^/]*_test|conftest)\.pyw?$|\.(test|spec)\.[jt]sx?$"
)
_WEEK_HOURS = 7 * 24
_HOUR_NS = 3600 * 10**9
_SEEDS = 8
_MAX_SAME_NAME = 12
_KINDS = (*DOCUMENTS, "attribute")


def rank_symbols(questions: Questions, prompt: str, caller: Symbol | str | None) -> list[Scored]:
    """The definitions that matter for a prompt, the most relevant first.

    Args:
        questions: the state of the codebase.
        prompt: the task, in a person's words.
        caller: where the code goes: a symbol, a path, `path:line` or a name; None when that is open.

    Raises:
        CodebaseError: the caller is not part of the codebase.
    """
    return _Ranking(questions, prompt).run(find_caller(questions, caller))


def find_caller(questions: Questions, caller: Symbol | str | None) -> Place | None:
    """The innermost definition that a caller means; index -1 for a module."""
    if caller is None:
        return None
    if isinstance(caller, Symbol):
        return caller.path, caller.index
    path, _colon, line = caller.rpartition(":")
    if caller in questions.snapshot.entries:
        return caller, -1
    if line.isdigit() and path in questions.snapshot.entries:
        around = [each for each in questions.symbols_in(path) if each.line <= int(line) <= each.end_line]
        around = [each for each in around if each.kind in ("class", "function", "method")]
        return path, around[-1].index if around else -1
    found = questions.symbols(caller)
    if not found:
        raise CodebaseError(f"There is no file or symbol {caller!r} in the codebase. Give a path, path:line or a name.")
    return found[0].path, found[0].index


class _Ranking:
    def __init__(self, questions: Questions, prompt: str) -> None:
        self.questions = questions
        self.snapshot = questions.snapshot
        self.prompt = prompt
        self.evidence = Evidence()

    def run(self, caller: Place | None) -> list[Scored]:
        self.named()
        self.named_in_words()
        self.worded()
        if caller is not None:
            self.near(caller)
        self.around(self.ranked(caller)[:_SEEDS])
        self.prior()
        return self.ranked(caller)

    def ranked(self, caller: Place | None) -> list[Scored]:
        """What has been found, without the caller; tests step back unless they are what it is about."""
        found = [each for each in self.evidence.ranked() if each.place != caller]
        if not _TEST_WORDS.isdisjoint(words_in(self.prompt)) or (caller and _TEST_PATH.search(caller[0])):
            return found
        shares = {path: _TEST_SHARE if _TEST_PATH.search(path) else 1.0 for (path, _index), *_rest in found}
        return in_order(each._replace(score=round(each.score * shares[each.place[0]], 6)) for each in found)

    # the prompt

    def named(self) -> None:
        """Definitions whose name stands in the prompt."""
        for name in identifiers_in(self.prompt):
            found = [(each.path, each.index) for each in self.questions.named(name) if each.index >= 0]
            self.by_name(found, _NAMED if _looks_like_code(name) else _NAMED_PLAINLY)

    def named_in_words(self) -> None:
        """Definitions whose name the prompt says in plain words: "upload client" for `UploadClient`."""
        for words in plain_words_in(self.prompt):
            for start in range(len(words)):
                for length in range(1, min(_LONGEST_NAME, len(words) - start) + 1):
                    name = words[start : start + length]
                    if not _TASK_WORDS.issuperset(name):
                        found = self.snapshot.lexicon.named(name)
                        self.by_name(found, _NAMED_IN_WORDS if length > 1 else _NAMED_PLAINLY)

    def by_name(self, found: list[Place], weight: float) -> None:
        if len(found) <= _MAX_SAME_NAME:
            for place in found:
                self.evidence.add(place, weight / len(found) ** 0.5, "named in the prompt")

    def worded(self) -> None:
        """Definitions that are about the prompt's words."""
        counts = Counter(words_in(self.prompt))
        words = {word: count * (_TASK_WEIGHT if word in _TASK_WORDS else 1.0) for word, count in counts.items()}
        for word in counts:
            for other in synonyms(word):
                words.setdefault(other, words[word] * _SYNONYM_WEIGHT)
        scores = self.snapshot.lexicon.score(words)
        ordered = sorted(scores.items(), key=lambda each: (-round(each[1], 6), each[0]))[:_WORD_CANDIDATES]
        for place, score in ordered:
            self.evidence.add(place, _WORDS * score / ordered[0][1], "about the words of the prompt")

    # the caller

    def near(self, caller: Place) -> None:
        """Definitions near the place where the code goes."""
        path, index = caller
        unit = self.snapshot.unit(path)
        if unit is None:
            return
        owner = index
        while owner >= 0 and unit.symbol(owner).kind != "class":
            owner = unit.symbol(owner).parent
        if owner >= 0:
            self.own_class(Entity(path, owner))
        for group in unit.members.get(-1, {}).values():
            self.evidence.add((path, group[0]), _SAME_FILE, "in the same file")
        self.imported(path)
        self.used_beside(path, owner, caller)

    def own_class(self, entity: Entity) -> None:
        order = self.snapshot.resolver.ancestry(entity)
        name = self.name(order[0].path, order[0].symbol)
        for each in order:
            own = each == order[0]
            self.evidence.add(
                (each.path, each.symbol),
                _OWN_CLASS if own else _BASE,
                f"the class {name}" if own else f"base of {name}",
            )
            unit = self.snapshot.unit(each.path)
            for group in (unit.members.get(each.symbol, {}) if unit else {}).values():
                weight, what = (_OWN_MEMBER, "member of") if own else (_BASE_MEMBER, "inherited by")
                self.evidence.add((each.path, group[0]), weight, f"{what} {name}")

    def imported(self, path: str) -> None:
        unit = self.snapshot.unit(path)
        for row in unit.record.imports if unit else ():
            found = self.snapshot.resolver.imported(unit, row) if unit and row.name != "*" else None
            if found is None or found.symbol < 0:
                continue
            self.evidence.add((found.path, found.symbol), _IMPORTED, "imported where the code goes")
            other = self.snapshot.unit(found.path)
            for group in (other.members.get(found.symbol, {}) if other else {}).values():
                self.evidence.add((found.path, group[0]), _IMPORTED_MEMBER, "member of what is imported there")

    def used_beside(self, path: str, owner: int, caller: Place) -> None:
        """What the neighbours of the new code use."""
        unit = self.snapshot.unit(path)
        if unit is None:
            return
        siblings = [
            index for group in unit.members.get(owner, {}).values() for index in group if (path, index) != caller
        ]
        counts: Counter[Place] = Counter()
        for sibling in siblings:
            counts.update(set(self.used_by((path, sibling))))
        most = max(counts.values(), default=1)
        for place, count in counts.items():
            self.evidence.add(place, _USED_BESIDE * (0.5 + 0.5 * count / most), "used by the code beside it")

    # what is found so far

    def around(self, seeds: list[Scored]) -> None:
        """Definitions next to the best ones."""
        for seed in seeds:
            name = self.name(*seed.place)
            for place in set(self.used_by(seed.place)):
                self.evidence.add(place, _CALLED * seed.score, f"used by {name}")
            self.holders(seed, name)
            symbol = self.snapshot.symbol(*seed.place)
            for place in self.questions.users(symbol, (CALL, READ)) if symbol and symbol.kind != "attribute" else ():
                self.evidence.add(place, _CALLS * seed.score, f"uses {name}")

    def holders(self, seed: Scored, name: str) -> None:
        path, index = seed.place
        unit = self.snapshot.unit(path)
        if unit and index >= 0 and unit.symbol(index).parent >= 0:
            self.evidence.add((path, unit.symbol(index).parent), _HOLDS * seed.score, f"contains {name}")
        if unit and index >= 0 and unit.symbol(index).kind == "class":
            for base in self.snapshot.resolver.bases(Entity(path, index)):
                self.evidence.add((base.path, base.symbol), _HOLDS * seed.score, f"base of {name}")

    def prior(self) -> None:
        """A little for files that much depends on, and for those changed last."""
        ranking = dict(self.questions.graph.ranking)
        top = max(ranking.values(), default=1.0)
        recency = self.recency()
        for path, index in self.evidence:
            self.evidence.add((path, index), _CENTRAL * ranking.get(path, 0.0) / top, "much depends on its file")
            self.evidence.add((path, index), _RECENT * recency.get(path, 0.0), "changed lately")

    def recency(self) -> dict[str, float]:
        """How lately each file was changed, from 1 (in the same hour as the newest) by half for every week.

        Whole hours before the newest file, not before now: the same files get the same answer at any time, and a fresh
        checkout, where every file is of the same minute, prefers none.
        """
        times = {path: self.snapshot.entries[path].modified for path in {path for path, _index in self.evidence}}
        newest = max(times.values(), default=0)
        hours = {path: (newest - time) // _HOUR_NS for path, time in times.items()}
        return {path: 0.5 ** (each / _WEEK_HOURS) for path, each in hours.items()} if any(hours.values()) else {}

    def used_by(self, place: Place) -> Iterator[Place]:
        """The definitions that a definition's own text uses."""
        path, index = place
        unit = self.snapshot.unit(path)
        for number, _at in unit.by_owner.get(index, ()) if unit else ():
            found = self.snapshot.resolver.resolve(unit, unit.record.chains[number]) if unit else None
            if found is not None and found.symbol >= 0 and (found.path, found.symbol) != place and self.wanted(found):
                yield found.path, found.symbol

    def wanted(self, entity: Entity) -> bool:
        unit = self.snapshot.unit(entity.path)
        return unit is not None and unit.symbol(entity.symbol).kind in _KINDS

    def name(self, path: str, index: int) -> str:
        unit = self.snapshot.unit(path)
        return unit.local_names[index] if unit and index >= 0 else path


def _looks_like_code(name: str) -> bool:
    return "_" in name or "." in name or any(each.isupper() for each in name[1:]) or name[:1].isupper()
