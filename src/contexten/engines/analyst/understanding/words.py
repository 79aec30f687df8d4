"""The words of a prompt that say what it is about."""

from __future__ import annotations

import re

_WORD = re.compile(r"[A-Za-z_]\w*|\b\d{2,}\b")
_STOP = frozenset({
    "a", "about", "above", "after", "again", "all", "already", "also", "am", "an", "and", "any", "anything", "anywhere", "are",
    "around", "as", "ask", "at", "be", "because", "been", "before", "being", "between", "both", "but", "by", "can",
    "class", "classes", "code", "codebase", "come", "contain", "contains", "could", "current", "currently",
    "defined", "describe", "did", "do", "does", "doesnt", "doing", "done", "dont", "down", "each", "either", "else",
    "etc", "every", "everything", "exactly", "explain", "file", "files", "find", "for", "from", "function",
    "functions", "get", "gets", "give", "given", "go", "goes", "got", "had", "handle", "handled", "handles",
    "happen", "happens", "has", "have", "having", "hello", "here", "hey", "hi", "how", "i", "i'm", "if",
    "im", "in", "into", "is", "isnt", "it", "its", "itself", "just", "kind", "know", "let", "like", "line", "lines",
    "list", "lists", "look", "made", "make", "makes", "many", "may", "me", "mean", "method", "methods", "might",
    "module", "modules", "more", "most", "much", "must", "my", "need", "needs", "new", "no", "not", "now", "of",
    "off", "ok", "on", "once", "one", "only", "or", "other", "our", "out", "over", "own", "part", "place", "places",
    "please", "project", "purpose", "repo", "repository", "same", "see", "should", "show", "so", "some",
    "something", "somewhere", "still", "such", "tell", "than", "thanks", "that", "the", "their", "them", "then",
    "there", "these", "they", "thing", "things", "this", "those", "through", "to", "too", "under", "until", "up",
    "us", "use", "used", "uses", "using", "very", "want", "was", "way", "we", "well", "were", "what", "whats",
    "when", "where", "wheres", "whether", "which", "while", "who", "whom", "whose", "why", "will", "with", "within",
    "without", "work", "working", "works", "would", "yes", "you", "your",
})  # fmt: skip
_ORDINARY = _STOP | frozenset({
    "actually", "always", "anyone", "attributes", "authors", "available", "best", "bug", "bugs", "built", "calls", "common",
    "correct", "dead", "default", "dependencies", "directory", "documentation", "errors", "ever", "exceptions", "fields", "first",
    "folder", "good", "great", "imports", "last", "license", "main", "maximum", "minimum", "name", "names", "never", "nobody",
    "nothing", "nowhere", "number", "often", "options", "package", "packages", "people", "performance", "private", "problem",
    "problems", "public", "quality", "really", "safe", "say", "security", "settings", "side", "slow", "sometimes", "structure",
    "symbols", "system", "test", "tests", "time", "today", "twice", "type", "types", "unused", "user", "users", "usually",
    "values", "variables", "version", "whole", "worst", "wrong", "yesterday", "yet",
})  # fmt: skip
_ENDINGS = re.compile(r"[a-z]{3,}(?:ed|ing|ly|able|ible|ous|less|est)")
_DOCUMENT = re.compile(
    r"readme|licen[cs]e|copying|change-?log|contributing|makefile|dockerfile|procfile", re.IGNORECASE
)
"""Documents that are spoken of without their ending."""


def is_document_name(text: str) -> bool:
    """Whether people call a document so, without its ending: README, changelog, licence."""
    return bool(_DOCUMENT.fullmatch(text))


def ordinary(word: str) -> bool:
    """Whether a word that the code does not know is plain English, so that it cannot be meant as a name."""
    return word in _ORDINARY or (word.lower() in _STOP) or bool(_ENDINGS.fullmatch(word))


def significant(text: str) -> list[str]:
    """The words of a text that carry its meaning, in order, each once."""
    found = (word for word in _WORD.findall(text) if word.lower() not in _STOP and len(word) > 1)
    return list(dict.fromkeys(found))


def parts(name: str) -> list[str]:
    """The lower-case words that an identifier is made of: `HTTPServer_run` gives http, server, run."""
    spaced = re.sub(r"([a-z0-9])([A-Z])|([A-Z])(?=[A-Z][a-z])", r"\1\3 \2", name)
    return [part.lower() for part in re.split(r"[\W_ ]+", spaced) if part]


def stem(word: str) -> str:
    """A word without the endings that its forms differ in, good enough to match `retries` with `retry`."""
    word = word.lower()
    for ending, instead in (("ies", "y"), ("ied", "y"), ("ing", ""), ("ers", "er"), ("ed", ""), ("es", ""), ("s", "")):
        if word.endswith(ending) and len(word) - len(ending) >= 3:  # noqa: PLR2004 (shorter stems match anything)
            return word[: -len(ending)] + instead
    return word
