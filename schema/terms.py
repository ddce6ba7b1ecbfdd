"""Terms of use (CGU): their versions and their acceptance."""

from datetime import datetime
from typing import Annotated

import strawberry

from resolvers import terms
from schema.access import EVERYBODY, FAMILY_BEFORE_TERMS
from schema.declare import Arg, column, mutation, one, stored
from schema.payloads import AccountPayload
from schema.relay import PUBLIC, Info, Node
from schema.services import in_language


@stored("terms", PUBLIC, tag=13, key=("id",))
@strawberry.type(description="A version of the terms of use (CGU).")
class Terms(Node):
    """Terms of use (R3–R5)."""

    version: int = column("Number of the version.")
    effective_at: datetime = column("From when on it is in force.")
    body: str = column("Text (Markdown), in the language of the viewer.", in_language("body"))
    hash: str = column("SHA-256 of the French text, kept with every acceptance.")
    accepted: bool = column(
        "True when the account that asks has accepted this version.",
        "exists (select from terms_acceptance c "
        "where c.family_id = :family and c.account_id = :account and c.version = {t}.version)",
    )


@strawberry.type
class TermsQueries:
    """Root fields about terms."""

    terms: Terms | None = one(
        "The terms of use in force, or a given version.",
        "{o}.version = coalesce(:arg_version, (select max(v.version) from terms v where v.effective_at <= now()))",
        may=EVERYBODY,
        version=Arg(int | None, "A version; the one in force unless given.", "integer"),
    )


@strawberry.type
class TermsMutations:
    """Commands about terms."""

    @mutation(may=FAMILY_BEFORE_TERMS, description="Accept the terms of use in force (R3).")
    async def accept_terms(
        info: Info, version: Annotated[int, strawberry.argument(description="The version that was read.")]
    ) -> AccountPayload:
        """R3, R4."""
        await terms.accept(info.context, version)
        return AccountPayload()
