"""Privacy: what a family keeps, which services it uses, the copy of its data, and leaving (R2, R10, R22)."""

from datetime import datetime
from enum import Enum
from typing import Annotated
from uuid import UUID

import strawberry

from resolvers import closure, exports, retention
from schema.access import ADMIN, FAMILY, FAMILY_BEFORE_TERMS
from schema.declare import Payload, column, mutation, one, stored, written
from schema.payloads import AccountPayload
from schema.relay import OWN, Info, Node, key_of
from schema.services import Service
from schema.tags import Tag


@strawberry.enum(description="What a family may choose to keep in its account between procedures.")
class RetainedDatum(Enum):
    """The catalogue of R2; what holds until a family chooses is in `resolvers.retention.KEPT_UNLESS_SAID`."""

    ANSWERS = strawberry.enum_value(
        "ANSWERS", description="Answers to forms, to fill in the next one. Not kept unless chosen."
    )
    SCHOOL = strawberry.enum_value("SCHOOL", description="The schools of its children. Kept unless refused.")
    CONTACTS = strawberry.enum_value(
        "CONTACTS", description="Addresses other than those that sign in, such as a telephone. Kept unless refused."
    )
    DOCUMENTS = strawberry.enum_value(
        "DOCUMENTS", description="Documents that were uploaded, to file them again. Not kept unless chosen."
    )
    QUOTIENT_FAMILIAL = strawberry.enum_value(
        "QUOTIENT_FAMILIAL", description="Income indexes; without one the highest price counts. Kept unless refused."
    )


@stored("data_choice", OWN, tag=Tag.DATA_CHOICE)
@strawberry.type(description="Whether a family keeps a datum in its account between procedures.")
class DataChoice(Node):
    """A choice of R2."""

    datum: RetainedDatum = column("What.")
    keep: bool = column("False: it is erased two months after its procedure has ended.")
    changed_at: datetime = column("When it was chosen.")


@stored("service_opt_in", OWN, tag=Tag.SERVICE_OPT_IN)
@strawberry.type(description="Whether a family uses a service.")
class ServiceOptIn(Node):
    """A choice of R2."""

    service: Service = one("The service.", "{o}.id = {t}.service_id")
    opted_in: bool = column("True from the first procedure or the family's own word on; false once it left.")
    changed_at: datetime = column("When it was chosen.")


@strawberry.enum(description="How far an export is.")
class ExportState(Enum):
    """States of the job behind it."""

    PENDING = strawberry.enum_value("PENDING", description="Ordered.")
    RUNNING = strawberry.enum_value("RUNNING", description="Being made.")
    DONE = strawberry.enum_value("DONE", description="Ready; the link was sent by mail.")
    FAILED = strawberry.enum_value("FAILED", description="Could not be made; it may be asked for again.")


@stored("export", OWN, tag=Tag.EXPORT)
@strawberry.type(description="A copy of everything that is kept about a family: JSON and documents in one archive.")
class Export(Node):
    """An export (GDPR art. 15 and 20)."""

    state: ExportState = column("How far it is.", "(select j.state from job j where j.id = {t}.job_id)")
    progress: int = column("How far it is, in per cent.", "(select j.progress from job j where j.id = {t}.job_id)")
    requested_at: datetime = column("When it was asked for.")
    ready_at: datetime | None = column("When it was ready.")
    expires_at: datetime | None = column("When it is deleted.")
    size: int | None = column("Bytes of the archive.")
    url: str | None = column(
        "Where to fetch it with the same `Authorization`, on the address of this API; none until it is ready.",
        "case when {t}.ready_at is not null then '/exports/' || {t}.id end",
    )


@strawberry.enum(description="Why an account is closed.")
class ClosureReason(Enum):
    """Counted, never more: a reason in one's own words would be one more datum."""

    NOT_NEEDED = strawberry.enum_value("NOT_NEEDED", description="Not needed any more.")
    MOVED_AWAY = strawberry.enum_value("MOVED_AWAY", description="The family left the city.")
    OTHER_WAYS = strawberry.enum_value("OTHER_WAYS", description="Counter, telephone or post are preferred.")
    PRIVACY = strawberry.enum_value("PRIVACY", description="For the sake of privacy.")
    OTHER = strawberry.enum_value("OTHER", description="Something else.")


@strawberry.type(description="What a choice of data gives.")
class DataChoicePayload(Payload):
    """Payload of setDataRetention."""

    choice: DataChoice | None = written("The choice as it stands now.")


@strawberry.type(description="What a choice of services gives.")
class ServiceOptInPayload(Payload):
    """Payload of setServiceOptIn."""

    opt_in: ServiceOptIn | None = written("The choice as it stands now, unless refused.")


@strawberry.type(description="What asking for one's data gives.")
class ExportPayload(Payload):
    """Payload of exportMyData."""

    export: Export | None = written("The copy that will be made, unless refused.")


FamilyId = Annotated[strawberry.ID, strawberry.argument(description="Id of the family.")]


@strawberry.type
class PrivacyMutations:
    """Commands about what is kept, and about leaving."""

    @mutation(may=FAMILY, description="Keep a datum in the account between procedures, or keep it no longer (R2).")
    async def set_data_retention(
        info: Info,
        datum: Annotated[RetainedDatum, strawberry.argument(description="What.")],
        keep: Annotated[bool, strawberry.argument(description="False: erased as soon as no procedure needs it.")],
    ) -> DataChoicePayload:
        """R2."""
        family_id, choice_id = await retention.set_retention(info.context, datum.name, keep)
        return DataChoicePayload(family_id=family_id, id=choice_id)

    @mutation(
        may=FAMILY,
        description="Use a service, or leave it (R2). Starting a procedure of a service is using it; "
        "leaving is refused while one is open there, and stops what the service tells beside procedures.",
    )
    async def set_service_opt_in(
        info: Info,
        service: Annotated[strawberry.ID, strawberry.argument(description="Id of the service.")],
        opt_in: Annotated[bool, strawberry.argument(description="True to use it, false to leave it.")],
    ) -> ServiceOptInPayload:
        """R2."""
        [service_id] = key_of(info.context, service, "Service", "service")
        family_id, choice_id = await retention.set_opt_in(info.context, service_id, opt_in)
        return ServiceOptInPayload(family_id=family_id, id=choice_id)

    @mutation(
        may=FAMILY_BEFORE_TERMS,
        description="Ask for a copy of everything that is kept about the family; a link follows by mail. "
        "Once a day and login.",
    )
    async def export_my_data(info: Info) -> ExportPayload:
        """R10."""
        family_id, export_id = await exports.request(info.context)
        return ExportPayload(family_id=family_id, id=export_id)

    @mutation(
        may=FAMILY_BEFORE_TERMS,
        description="Close this login, and with the last one the family's account (R10): credentials and contacts are "
        "erased, sessions end. Debts and what the city has to decide remain; an activation code opens it again.",
    )
    async def close_account(
        info: Info,
        password: Annotated[str, strawberry.argument(description="The password, again.")],
        reason: Annotated[ClosureReason | None, strawberry.argument(description="Why, if one wants to say.")] = None,
    ) -> AccountPayload:
        """R10."""
        await closure.close_account(info.context, password, reason.name if reason else None)
        return AccountPayload()

    @mutation(
        may=ADMIN, description="End the access of a family that used its account against the law, and tell it (R22)."
    )
    async def terminate_account(
        info: Info,
        family: FamilyId,
        reason: Annotated[
            str, strawberry.argument(description="Why, in words that the family reads; 1,000 characters at the most.")
        ],
    ) -> AccountPayload:
        """R22."""
        await closure.terminate(info.context, _family(info, family), reason)
        return AccountPayload()

    @mutation(may=ADMIN, description="Give a family whose access was ended its access back, and tell it.")
    async def reinstate_account(info: Info, family: FamilyId) -> AccountPayload:
        """Undoes terminateAccount."""
        await closure.reinstate(info.context, _family(info, family))
        return AccountPayload()

    @mutation(
        may=ADMIN,
        description="Erase everything that names a family, on its request (GDPR art. 17); it cannot be undone. "
        "Accounts, decisions and the audit log stay and name nobody.",
    )
    async def erase_family(
        info: Info,
        family: FamilyId,
        number: Annotated[str, strawberry.argument(description="Its number, so that no other is erased by mistake.")],
    ) -> AccountPayload:
        """GDPR art. 17."""
        await closure.erase(info.context, _family(info, family), number)
        return AccountPayload()


def _family(info: Info, text: str) -> UUID:
    [family_id] = key_of(info.context, text, "Family", "family")
    return family_id
