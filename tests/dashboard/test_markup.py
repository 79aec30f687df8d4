"""Whatever models and tools write, a page shows it as text, or as harmless Markdown."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contexten.dashboard.markup import LONGEST_MARKDOWN, diff_lines, markdown

TAGS = {
    "p",
    "br",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "em",
    "strong",
    "s",
    "code",
    "pre",
    "blockquote",
    "ul",
    "ol",
    "li",
    "hr",
    "a",
    "span",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
}
ATTRIBUTES = {"href", "rel", "target", "title", "class", "start", "style"}
HOSTILE = st.lists(
    st.one_of(
        st.sampled_from([
            "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "![a](http://e.com/x.png)", "[a](javascript:alert(1))",
            "<javascript:alert(1)>", "[a]: data:text/html,x\n", "[a]", "`", "```\n", "\n\n", "> ", "* ", "|", "\n|-|-|\n", '"', "'",
            "<", ">", "&", "&#106;avascript:", "](", "<a href='//e.com'>", "[x](//e.com)", "[x](https://e.com/?\"'<>)", "\u202e", "\x1b[31m",
        ]),
        st.text(max_size=8),
    ),
    max_size=30,
).map("".join)  # fmt: skip


class Seen(HTMLParser):
    """What a browser would make of it."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.links, self.attributes, self.text = set(), [], set(), ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag == "a":
            self.links.append(dict(attrs))

    def handle_data(self, data):
        self.text += data


@given(HOSTILE)
def test_nothing_that_is_written_becomes_more_than_markdown(text):
    seen = Seen(markdown(text))
    assert seen.tags <= TAGS
    assert seen.attributes <= ATTRIBUTES
    for link in seen.links:
        assert link["href"].startswith(("https://", "http://", "mailto:"))
        assert link["rel"] == "noopener noreferrer nofollow"
        assert link["target"] == "_blank"
    assert "\x1b" not in seen.text
    assert "\u202e" not in seen.text


@given(st.lists(HOSTILE.map(lambda text: text.replace("\n", "")), max_size=10))
def test_a_diff_is_text(lines):
    seen = Seen(diff_lines(lines))
    assert seen.tags <= {"span"}
    assert seen.attributes <= {"class"}


def test_markdown_is_shown_as_it_is_meant():
    seen = Seen(
        markdown(
            "# Callers\n\n- `refund` in [the code](src/refund.py)\n- [docs](https://e.com/a?b=1&c=2)\n\n|a|b|\n|-|-|\n|1|2|"
        )
    )
    assert {"h1", "ul", "li", "code", "table", "a", "span"} <= seen.tags
    assert [link["href"] for link in seen.links] == ["https://e.com/a?b=1&c=2"]
    assert "src/refund.py" in markdown("[the code](src/refund.py)")


def test_an_image_is_named_and_never_fetched():
    html = markdown("![a chart](http://evil.example/pixel.png) and [![b](http://evil.example/b.png)](https://e.com)")
    assert "[image: a chart]" in html
    assert "pixel.png" not in html
    assert "b.png" not in html


def test_what_is_too_long_to_be_read_as_markdown_is_shown_as_it_was_written():
    html = markdown("<b>" + "*" * LONGEST_MARKDOWN)
    assert html.startswith("<pre>&lt;b&gt;***")


@pytest.mark.parametrize(
    ("line", "kind"),
    [("+new", "add"), ("-old", "del"), ("@@ -1 +1 @@", "hunk"), ("+++ b/x", "head"), (" same", "same"), ("", "same")],
)
def test_a_line_of_a_diff_has_the_colour_of_what_it_does(line, kind):
    assert f'class="{kind}"' in diff_lines([line])
