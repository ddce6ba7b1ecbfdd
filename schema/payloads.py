"""Payloads that several domains give."""

import strawberry

from schema.declare import Payload


@strawberry.type(description="What a change of one's account gives.")
class AccountPayload(Payload):
    """Payload of mutations that give nothing but their success."""
