"""The reads as a client of the portal writes them."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from db.clock import PARIS, utc_now

ME = """query Me {
  viewer {
    account { id email language createdAt }
    family { id number name profile
      members { edges { node { id role firstName lastName birthDate school } } } }
  }
}"""

DASHBOARD = """query Dashboard($procedures: Int = 10) {
  viewer {
    family { id number name
      members { edges { node { id role firstName lastName } } }
      procedures(first: $procedures) {
        edges { cursor node {
          id reference status submittedAt impliedDecisionOn updatedAt
          kind { code title }
          events(first: 10) { edges { node { number toStatus actor message occurredAt } } }
        } }
        pageInfo { hasNextPage endCursor }
      }
      inbox(first: 12) {
        edges { cursor node {
          id type summary occurredAt readAt
          deliveries(first: 3) { edges { node { channel address status sentAt } } }
        } }
      }
      balance { cents formatted }
      invoices(first: 12) {
        edges { node {
          id number period status dueOn total { cents formatted }
          lines(first: 10) { edges { node {
            label quantity unitPrice { cents formatted } amount { cents formatted }
          } } }
        } }
      }
    }
  }
}"""

PROCEDURES = """query Procedures($status: [ProcedureStatus!], $first: Int = 100, $after: String) {
  procedures(first: $first, after: $after, status: $status) {
    edges { cursor node {
      id reference status submittedAt updatedAt
      kind { code title }
      service { code name }
      events(first: 5) { edges { node { number toStatus occurredAt } } }
    } }
    pageInfo { hasNextPage endCursor }
  }
}"""

WORK = """query Work($first: Int = 100, $after: String) {
  workList(first: $first, after: $after) {
    edges { cursor node {
      id reference status submittedAt impliedDecisionOn familyNumber familyName unreadMessages
      kind { code title }
      service { code name }
      member { id firstName lastName }
      assignee { id name }
    } }
    pageInfo { hasNextPage endCursor }
  }
}"""

CATALOGUE = """query Catalogue {
  procedureKinds(first: 25) {
    edges { node {
      id code version title summary form decisionMonths silenceMeans
      service { code name phone email hours }
    } }
  }
}"""


PAGE = """query Page($slug: String!, $today: DateTime!, $tomorrow: DateTime!) {
  page(slug: $slug) {
    id slug title summary html publishedAt
    category { code title }
    places { edges { node {
      id code name address access phone isOpen nextOpening
      hours(since: $today, until: $tomorrow, first: 10) { edges { node { opensAt closesAt } } }
    } } }
    kinds { edges { node { id code title summary } } }
  }
}"""

SEARCH = """query Search($words: String!) {
  pages(search: $words, first: 10) {
    edges { node { id slug title summary highlight(search: $words) } }
  }
}"""


def _today() -> dict[str, str]:
    """Give the day's first moment by the clocks of the city, and the next day's."""
    first = datetime.combine(utc_now().astimezone(PARIS).date(), time(0))
    days = {"today": first, "tomorrow": first + timedelta(days=1)}
    return {name: day.replace(tzinfo=PARIS).isoformat() for name, day in days.items()}


@dataclass(frozen=True, slots=True)
class Read:
    """One read: its document, its variables, and who sends it."""

    document: str
    variables: dict[str, Any]
    sender: str
    """`family`, `agent` or nobody (empty)."""

    without: tuple[str, ...] = ()
    """Servers that do not know it."""


READS = {
    "me": Read(ME, {}, "family"),
    "dashboard": Read(DASHBOARD, {}, "family"),
    "procedures": Read(PROCEDURES, {"status": ["SUBMITTED", "IN_REVIEW"]}, "agent"),
    "work list": Read(WORK, {}, "agent"),
    "catalogue": Read(CATALOGUE, {}, ""),
    "page": Read(PAGE, {"slug": "cantine-inscription", **_today()}, ""),
    "search": Read(SEARCH, {"words": "inscription cantine"}, "", without=("stock",)),
}
