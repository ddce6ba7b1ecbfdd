"""Terms of use (CGU): their versions and their acceptance."""

from datetime import datetime
from enum import Enum
from typing import Annotated

import strawberry

from resolvers import terms
from resolvers.reading.mapping import Order
from schema.access import ADMIN, EVERYBODY, FAMILY_BEFORE_TERMS
from schema.declare import Arg, Payload, column, mutation, one, page, stored, written
from schema.payloads import AccountPayload
from schema.relay import OWN, PUBLIC, Connection, Info, Node
from schema.services import in_language
from schema.tags import Tag

NEWEST_VERSION_FIRST = Order((("{o}.version", "integer"),), descending=True)
NEWEST_ACCEPTED_FIRST = Order((("{o}.version", "integer"), ("{o}.account_id", "uuid")), descending=True)


@stored("terms", PUBLIC, tag=Tag.TERMS, key=("id",))
@strawberry.type(description="A version of the terms of use (CGU).")
class Terms(Node):
    """Terms of use (R3–R5)."""

    version: int = column("Number of the version.")
    effective_at: datetime = column("From when on it is in force.")
    body: str = column("Text (Markdown), in the language of the viewer.", in_language("body"))
    published_at: datetime = column("When it was published; it was never changed since.")
    hash: str = column(
        "SHA-256, in hexadecimal, of the French text, a line feed and the English text in UTF-8; kept with every "
        "acceptance."
    )
    accepted: bool = column(
        "True when the account that asks has accepted this version.",
        "exists (select from terms_acceptance c "
        "where c.family_id = :family and c.account_id = :account and c.version = {t}.version)",
    )


@strawberry.enum(description="How terms of use were accepted.")
class AcceptanceManner(Enum):
    """R4."""

    REGISTRATION = strawberry.enum_value("REGISTRATION", description="When the account was opened.")
    EXPLICIT = strawberry.enum_value("EXPLICIT", description="By a command of its own.")


@stored("terms_acceptance", OWN, tag=Tag.TERMS_ACCEPTANCE)
@strawberry.type(description="The record that a login accepted a version of the terms (R4).")
class TermsAcceptance(Node):
    """What proves an acceptance: which text, when, how."""

    version: int = column("The version.")
    hash: str = column("Hash of the text that was accepted.")
    accepted_at: datetime = column("When.")
    manner: AcceptanceManner = column("How.")
    terms: Terms = one("The text.", "{o}.version = {t}.version")


@strawberry.type
class TermsQueries:
    """Root fields about terms."""

    terms: Terms | None = one(
        "The terms of use in force, or a given version.",
        "{o}.version = coalesce(:arg_version, (select max(v.version) from terms v where v.effective_at <= :now))",
        may=EVERYBODY,
        version=Arg(int | None, "A version; the one in force unless given.", "integer"),
    )
    terms_versions: Connection[Terms] = page(
        "All versions of the terms of use, also those announced, newest first.",
        "true",
        NEWEST_VERSION_FIRST,
        may=EVERYBODY,
    )


@strawberry.type(description="What publishing terms gives.")
class TermsPayload(Payload):
    """Payload of publishTerms; `id` names the version."""

    terms: Terms | None = written("The new version; null when nothing was done.", on="{o}.id = :source_id")


@strawberry.type
class TermsMutations:
    """Commands about terms."""

    @mutation(may=FAMILY_BEFORE_TERMS, description="Accept the terms of use in force, or announced ones (R3).")
    async def accept_terms(
        info: Info, version: Annotated[int, strawberry.argument(description="The version that was read.")]
    ) -> AccountPayload:
        """R3, R4."""
        await terms.accept(info.context, version)
        return AccountPayload()

    @mutation(
        may=ADMIN,
        description="Publish the next version of the terms of use, for good; every family is told (R5) and, once it is "
        "in force, accepts it before anything else.",
    )
    async def publish_terms(
        info: Info,
        body_fr: Annotated[str, strawberry.argument(description="The text in French (Markdown).")],
        body_en: Annotated[str, strawberry.argument(description="The text in English (Markdown).")],
        effective_at: Annotated[
            datetime | None, strawberry.argument(description="From when on it is in force; at once unless given.")
        ] = None,
    ) -> TermsPayload:
        """R5."""
        return TermsPayload(id=await terms.publish(info.context, body_fr, body_en, effective_at))
