"""Mandates: a family lets the city debit its account (R26)."""

from datetime import date, datetime
from enum import Enum
from typing import Annotated

import strawberry

from db.settings import Settings
from resolvers import mandates
from schema.access import FAMILY, FAMILY_OR_TILL
from schema.declare import Payload, column, embedded, mutation, stored, written
from schema.relay import OWN_OR_TILL, GlobalID, Info, Node, key_of
from schema.tags import Tag


@strawberry.enum(description="Why a mandate ended.")
class MandateEnd(Enum):
    """Reasons; the sentences are in `resolvers.mandates.CHANGES`."""

    REVOKED = strawberry.enum_value("REVOKED", description="Taken back by the family, or by the city for it.")
    REPLACED = strawberry.enum_value("REPLACED", description="The family signed for another account.")
    LAPSED = strawberry.enum_value("LAPSED", description="Not used for 36 months (SEPA rulebook).")
    RETURNED = strawberry.enum_value("RETURNED", description="The bank sent debits back.")
    ERASED = strawberry.enum_value("ERASED", description="The family was erased (GDPR art. 17).")


@stored("mandate", OWN_OR_TILL, tag=Tag.MANDATE)
@strawberry.type(description="A SEPA mandate; the account is shown masked only.")
class Mandate(Node):
    """A mandate."""

    rum: str = column("Unique reference of the mandate (RUM).")
    creditor_identifier: str = column("Identifier of the creditor (ICS).", "{t}.ics")
    account: str = column(
        "The account, masked: country and last four characters.", "{t}.country || '•• •••• ' || {t}.iban_end"
    )
    signed_at: datetime = column("When it was signed.")
    signed_on: date = column("Day of the signature, as the bank is told.")
    last_used_on: date | None = column("Day of the last debit.", "{t}.used_on")
    ended_at: datetime | None = column("When it ended; none while it is in force.")
    ended_reason: MandateEnd | None = column("Why it ended.")


@strawberry.type(description="What a family must be shown before it signs a mandate.")
class MandateForm:
    """The SEPA core mandate (EPC392-08)."""

    id: strawberry.ID = column("Always the same, for caches.", "'mandate-form'")
    offered: bool = column("False when the city collects nothing by direct debit.", ":debit_offered::boolean")
    text: str = column(
        "The words that one agrees to, in the language of the viewer.",
        "case :language when 'en' then :debit_text_en else :debit_text_fr end",
    )
    creditor_name: str = column("Who will collect.", ":debit_creditor")
    creditor_identifier: str = column("Identifier of the creditor (ICS).", ":debit_identifier")
    notice_days: int = column("Days by which each debit is announced ahead.", ":debit_notice_days::integer")


def constants(settings: Settings) -> dict[str, str]:
    """Give what the form is made of, for the reader."""
    return mandates.form(settings)


@strawberry.input(description="Where the holder of an account lives.")
class HolderAddress:
    """Needed for banks outside the European Economic Area."""

    street: str = strawberry.field(description="Number and street.")
    postcode: str = strawberry.field(description="Postcode.")
    town: str = strawberry.field(description="Town.")


@strawberry.type(description="What signing or revoking a mandate gives.")
class MandatePayload(Payload):
    """Payload of signMandate and revokeMandate."""

    mandate: Mandate | None = written("The mandate, unless refused.")


@strawberry.type
class MandateQueries:
    """Root fields about mandates."""

    mandate_form: MandateForm = embedded("What to show before a mandate is signed.", may=FAMILY_OR_TILL)


@strawberry.type
class MandateMutations:
    """Commands about mandates."""

    @mutation(
        may=FAMILY,
        description="Sign a mandate: invoices that fall due from now on are debited, each announced in advance (R26). "
        "One for another account is replaced; the same account again changes nothing.",
    )
    async def sign_mandate(
        info: Info,
        iban: Annotated[str, strawberry.argument(description="IBAN of the account; blanks do not matter.")],
        holder: Annotated[str, strawberry.argument(description="Name of the holder of the account.")],
        agrees: Annotated[bool, strawberry.argument(description="True: agrees to the words of `mandateForm`.")],
        password: Annotated[str, strawberry.argument(description="The password, again.")],
        bic: Annotated[
            str | None, strawberry.argument(description="BIC; only banks outside the European Economic Area need it.")
        ] = None,
        address: Annotated[
            HolderAddress | None, strawberry.argument(description="Where the holder lives; for such banks too.")
        ] = None,
    ) -> MandatePayload:
        """R26."""
        given = mandates.Given(
            iban,
            bic,
            holder,
            address.street if address else None,
            address.postcode if address else None,
            address.town if address else None,
        )
        family_id, mandate_id = await mandates.sign(info.context, given, password, agrees=agrees)
        return MandatePayload(family_id=family_id, id=mandate_id)

    @mutation(
        may=FAMILY_OR_TILL,
        description="Take a mandate back: what was announced is not debited, what is at the bank already may be. "
        "Once more changes nothing.",
    )
    async def revoke_mandate(info: Info, mandate: GlobalID) -> MandatePayload:
        """R26."""
        key = key_of(info.context, mandate, "Mandate", "mandate")
        family_id, mandate_id = await mandates.revoke(info.context, *key)
        return MandatePayload(family_id=family_id, id=mandate_id)
