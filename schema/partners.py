"""Partners: organisations that read over the API, and their administration."""

from datetime import datetime
from enum import Enum
from typing import Annotated

import strawberry

from resolvers import partners
from resolvers.reading.mapping import Order
from schema.access import ADMIN, PartnerScope
from schema.declare import Arg, Payload, column, mutation, one, page, stored, written
from schema.relay import NEWEST_FIRST, OLDEST_FIRST, Connection, GlobalID, Info, Node, key_of
from schema.scalars import EmailAddress
from schema.services import Service
from schema.tags import Tag

OWN_OR_ADMIN = {"AGENT": ":admin", "PARTNER": "{t}.partner_id = :partner"}
BY_SECRET = Order((("{o}.id", "uuid"),))


@strawberry.enum(description="A language of messages.")
class MessageLanguage(Enum):
    """Languages in which the city writes."""

    FR = strawberry.enum_value("FR", description="French.")
    EN = strawberry.enum_value("EN", description="English.")


@stored("partner_secret", {"AGENT": ":admin"}, tag=Tag.PARTNER_SECRET, key=("partner_id", "id"))
@strawberry.type(description="A secret of a partner; itself it was shown once.")
class PartnerSecret(Node):
    """For administrators."""

    hint: str = column("Its last four characters.")
    created_at: datetime = column("Since when it counts.")
    expires_at: datetime | None = column("Until when, once another has replaced it.")


@stored("partner", {"AGENT": ":admin", "PARTNER": "{t}.id = :partner"}, tag=Tag.PARTNER, key=("id",))
@strawberry.type(description="An organisation's API client; seen by itself and by administrators.")
class Partner(Node):
    """A partner."""

    client_id: str = column("Its name at `/oauth/token`.", "{t}.id::text")
    name: str = column("Name of the organisation.")
    contact_email: str = column("Who is told of expiry and of webhooks that fail.")
    scopes: list[PartnerScope] = column("What it may read.", "to_json({t}.scopes)")
    services: Connection[Service] = page(
        "The services of which it may read.", "{o}.id = any({t}.services)", OLDEST_FIRST
    )
    networks: list[str] = column("Networks that it may call from; any when empty.", "to_json({t}.networks)")
    has_keys: bool = column("Whether it signs assertions with keys of its own (RFC 7523).", "({t}.jwks is not null)")
    secrets: Connection[PartnerSecret] = page(
        "Its secrets that count, for administrators.", "{o}.partner_id = {t}.id", BY_SECRET
    )
    created_at: datetime = column("When it was made.")
    expires_at: datetime = column("When it ends; its contact is told ahead.")
    revoked_at: datetime | None = column("When it was revoked.")


@strawberry.enum(description="What a task about a partner asks of administrators.")
class PartnerTaskKind(Enum):
    """Kinds of task about partners."""

    WEBHOOK_DISABLED = strawberry.enum_value(
        "WEBHOOK_DISABLED", description="A webhook failed for a day and was disabled; its contact was told."
    )
    PARTNER_EXPIRES = strawberry.enum_value(
        "PARTNER_EXPIRES", description="A partner expires soon: prolong it, or not."
    )


@stored("partner_task", {"AGENT": ":admin"}, tag=Tag.PARTNER_TASK, key=("partner_id", "id"))
@strawberry.type(description="Something about a partner that an administrator must look at.")
class PartnerTask(Node):
    """A task."""

    kind: PartnerTaskKind = column("What it asks.")
    partner: Partner = one("The partner.", "{o}.id = {t}.partner_id")
    created_at: datetime = column("Since when it waits.")
    done_at: datetime | None = column("When it was done.")


@strawberry.type
class PartnerQueries:
    """Root fields about partners."""

    partners: Connection[Partner] = page("All partners, newest first.", "true", NEWEST_FIRST, may=ADMIN)
    partner_tasks: Connection[PartnerTask] = page(
        "Tasks about partners, newest first.",
        "true",
        NEWEST_FIRST,
        may=ADMIN,
        done=Arg(
            bool | None,
            "Only those that are done, or only those that wait.",
            "boolean",
            "({o}.done_at is not null) = :arg_done",
        ),
    )


@strawberry.type(description="What a command on a partner gives.")
class PartnerPayload(Payload):
    """Payload of commands on partners."""

    partner: Partner | None = written("The partner.", "{o}.id = :source_id")
    client_secret: str | None = strawberry.field(
        default=None, description="A new secret: shown once, hand it over on a way of its own."
    )


@strawberry.type(description="What finishing a task about a partner gives.")
class PartnerTaskPayload(Payload):
    """Payload of finishPartnerTask."""

    task: PartnerTask | None = written("The task.", "{o}.partner_id = :source_family_id and {o}.id = :source_id")


@strawberry.input(description="What a partner shall be.")
class PartnerInput:
    """All of it, also when it is changed."""

    name: str = strawberry.field(description="Name of the organisation.")
    contact_email: EmailAddress = strawberry.field(description="Who is told of expiry and of webhooks that fail.")
    scopes: list[PartnerScope] = strawberry.field(description="What it may read, one scope at the least.")
    services: list[strawberry.ID] = strawberry.field(description="Ids of the services of which it may read.")
    networks: list[str] = strawberry.field(
        default_factory=list, description="Networks that it may call from, such as 192.0.2.0/24; any when empty."
    )
    expires_at: datetime | None = strawberry.field(default=None, description="When it ends; in a year unless given.")
    jwks: str | None = strawberry.field(
        default=None, description="Its public keys, as a JSON Web Key Set: it then signs instead of holding a secret."
    )
    language: MessageLanguage = strawberry.field(
        default=MessageLanguage.FR, description="Language of messages to its contact."
    )


PartnerArgument = Annotated[PartnerInput, strawberry.argument(description="What it shall be.")]
PartnerID = Annotated[strawberry.ID, strawberry.argument(description="Id of the partner.")]


def _wanted(info: Info, given: PartnerInput) -> partners.Wanted:
    services = [key_of(info.context, service, "Service", "services")[0] for service in given.services]
    return partners.Wanted(
        given.name,
        given.contact_email,
        given.language.name.lower(),
        {scope.name for scope in given.scopes},
        services,
        given.networks,
        given.expires_at,
        given.jwks,
    )


@strawberry.type
class PartnerMutations:
    """Commands on partners."""

    @mutation(may=ADMIN, description="Make a partner. Its secret is in the payload, once.")
    async def create_partner(info: Info, partner: PartnerArgument) -> PartnerPayload:
        """Scopes and services are all that it will ever see."""
        partner_id, secret = await partners.create(info.context, _wanted(info, partner))
        return PartnerPayload(id=partner_id, client_secret=secret)

    @mutation(may=ADMIN, description="Change a partner; its tokens end.")
    async def change_partner(info: Info, partner: PartnerID, to: PartnerArgument) -> PartnerPayload:
        """Its secrets stay."""
        [partner_id] = key_of(info.context, partner, "Partner", "partner")
        await partners.change(info.context, partner_id, _wanted(info, to))
        return PartnerPayload(id=partner_id)

    @mutation(may=ADMIN, description="Give a partner a new secret; those of before count some hours longer.")
    async def rotate_partner_secret(
        info: Info,
        partner: PartnerID,
        overlap_hours: Annotated[
            int, strawberry.argument(description="Hours for which the old secrets still count; 0: not at all.")
        ] = 24,
    ) -> PartnerPayload:
        """Both count in between, so that nothing stands still."""
        [partner_id] = key_of(info.context, partner, "Partner", "partner")
        secret = await partners.rotate_secret(info.context, partner_id, overlap_hours)
        return PartnerPayload(id=partner_id, client_secret=secret)

    @mutation(may=ADMIN, description="Let a partner in no more: its tokens and live streams end within two seconds.")
    async def revoke_partner(info: Info, partner: PartnerID) -> PartnerPayload:
        """For good."""
        [partner_id] = key_of(info.context, partner, "Partner", "partner")
        await partners.revoke(info.context, partner_id)
        return PartnerPayload(id=partner_id)

    @mutation(may=ADMIN, description="Mark a task about a partner as done; once more changes nothing.")
    async def finish_partner_task(info: Info, task: GlobalID) -> PartnerTaskPayload:
        """Whoever looked at it."""
        partner_id, task_id = key_of(info.context, task, "PartnerTask", "task")
        await partners.finish_task(info.context, partner_id, task_id)
        return PartnerTaskPayload(family_id=partner_id, id=task_id)
