"""The form of an answer follows the client's wishes by quality and order."""

import pytest

from gateway.errors import RequestRefused
from gateway.negotiation import ANSWERS, EVENTS, GRAPHQL, HTML, JSON, choose

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
URQL = "application/graphql-response+json, application/json, text/event-stream, multipart/mixed"
APOLLO = "application/graphql-response+json,application/json;q=0.9"


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        ("text/*", EVENTS),
        (GRAPHQL, GRAPHQL),
        (JSON, JSON),
        (EVENTS, EVENTS),
        (URQL, GRAPHQL),
        (APOLLO, GRAPHQL),
        (f"{EVENTS};q=0.5, {JSON};q=0.4", EVENTS),
        (f"{GRAPHQL};q=0.1, {JSON}", JSON),
        (f"{JSON};q=0, */*", GRAPHQL),
        (f"{JSON}; charset=utf-8", JSON),
        ("APPLICATION/JSON", JSON),
        (f"{JSON};q=much", JSON),
        (f",,{JSON},", JSON),
    ],
)
def test_quality_wins_then_order(accept: str, media: str) -> None:
    assert choose(accept).media == media


def test_only_a_client_that_names_events_may_get_them() -> None:
    assert choose(URQL).events
    assert not choose("*/*").events


def test_a_browser_gets_the_page_where_there_is_one() -> None:
    assert choose(BROWSER, (*ANSWERS, HTML)).media == HTML
    assert choose(BROWSER).media == JSON


@pytest.mark.parametrize("accept", ["image/png", f"{JSON};q=0", "multipart/mixed", "application/json+x"])
def test_what_cannot_be_given_is_refused(accept: str) -> None:
    with pytest.raises(RequestRefused) as refused:
        choose(accept)
    assert refused.value.status == 406
