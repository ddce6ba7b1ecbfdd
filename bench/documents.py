"""The four reads as a client of the portal writes them."""

from dataclasses import dataclass
from typing import Any

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
    }
  }
}"""

WORK = """query Work($status: [ProcedureStatus!], $first: Int = 100, $after: String) {
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

CATALOGUE = """query Catalogue {
  procedureKinds(first: 25) {
    edges { node {
      id code version title summary form decisionMonths silenceMeans
      service { code name phone email hours }
    } }
  }
}"""


@dataclass(frozen=True, slots=True)
class Read:
    """One read: its document, its variables, and who sends it."""

    document: str
    variables: dict[str, Any]
    sender: str
    """`family`, `agent` or nobody (empty)."""


READS = {
    "me": Read(ME, {}, "family"),
    "dashboard": Read(DASHBOARD, {}, "family"),
    "work list": Read(WORK, {"status": ["SUBMITTED", "IN_REVIEW"]}, "agent"),
    "catalogue": Read(CATALOGUE, {}, ""),
}
