"""The gate between what models and tools write and the page: Markdown without HTML, images or harmful links; diffs as text."""

from __future__ import annotations

from functools import cache
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from contexten._plain import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from markdown_it import MarkdownIt
    from markdown_it.token import Token

LONGEST_MARKDOWN = 30_000
"""Characters; a longer text is shown as it was written."""
_LINKED = frozenset({"http", "https", "mailto"})
_HEADINGS = ("diff --git ", "index ", "--- ", "+++ ", "new file ", "deleted file ", "old mode ", "new mode ", "rename ",
             "similarity ", "GIT binary patch")  # fmt: skip
_KINDS = {"+": "add", "-": "del", "@": "hunk"}


def markdown(text: str) -> str:
    """Markdown as HTML that is safe in a page: HTML in it is shown as text, images are named, links lead outside alone."""
    text = clean(text)
    if len(text) > LONGEST_MARKDOWN:
        return f"<pre>{escape(text)}</pre>"
    parser = _parser()
    tokens = parser.parse(text)
    for token in tokens:
        if token.children:
            _tame(token.children)
    return str(parser.renderer.render(tokens, parser.options, {}))


def diff_lines(lines: Iterable[str]) -> str:
    """Lines of a patch as HTML, each in the colour of what it does."""
    return "".join(f'<span class="{_kind(line)}">{escape(clean(line)) or " "}</span>' for line in lines)


def _kind(line: str) -> str:
    return "head" if line.startswith(_HEADINGS) else _KINDS.get(line[:1], "same")


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    class EveryLink(MarkdownIt):
        """Takes every link for one: what becomes of it is decided in `_tame`."""

        def validateLink(self, url: str) -> bool:  # noqa: ARG002, N802 - named and called by the library
            return True

    return EveryLink("commonmark", {"html": False}).enable(["table", "strikethrough"])


def _tame(tokens: Sequence[Token]) -> None:
    spans = []
    for token in tokens:
        if token.type == "image":
            token.type, token.tag = "text", ""
            token.content = f"[image: {token.content or token.attrs.get('src', '')}]"
            token.children = None
        elif token.type == "link_open":
            spans.append(_link(token))
        elif token.type == "link_close":
            token.tag = spans.pop() if spans else "span"


def _link(token: Token) -> str:
    address = str(token.attrs.get("href", ""))
    if _leads_outside(address):
        attributes: dict[str, Any] = {"href": address, "rel": "noopener noreferrer nofollow", "target": "_blank"}
        token.attrs = attributes
        return token.tag
    token.tag, token.attrs = "span", {"title": address, "class": "place"}
    return token.tag


def _leads_outside(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in _LINKED and bool(parts.netloc or parts.scheme == "mailto")
