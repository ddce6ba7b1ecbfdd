"""Markdown of editors, as safe HTML and as plain words."""

from functools import cache

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

TAGS = {"p", "h2", "h3", "h4", "ul", "ol", "li", "strong", "em", "a", "blockquote", "code", "pre", "hr", "br"} | {
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
}
ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
SCHEMES = {"https", "http", "mailto", "tel"}


@cache
def _parser() -> MarkdownIt:
    # Raw HTML is shown as text: editors write Markdown, and what they paste must not become part of the page.
    return MarkdownIt("commonmark", {"html": False}).enable("table")


def html(text: str) -> str:
    """Give Markdown (CommonMark and tables) as HTML without scripts, styles or images.

    A page has its own `h1`, so that headings begin at `h2`. The sanitiser does not trust the parser.
    """
    tokens = _parser().parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(max(int(token.tag[1:]), 1) + 1, 4)}"
    rendered = _parser().renderer.render(tokens, _parser().options, {})
    return nh3.clean(rendered, tags=TAGS, attributes=ATTRIBUTES, url_schemes=SCHEMES, link_rel="noopener noreferrer")


def plain(text: str) -> str:
    """Give the words of Markdown, for the search and its excerpts."""
    return "\n".join(filter(None, map(_words, _parser().parse(text))))


def _words(token: Token) -> str:
    if token.type in ("code_block", "fence"):
        return token.content.strip()
    return "".join(
        " " if child.type in ("softbreak", "hardbreak") else child.content for child in token.children or ()
    ).strip()
