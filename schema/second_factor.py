"""Second factors of agents: what they have enrolled, and what they are asked for."""

import hashlib
from datetime import datetime
from enum import Enum
from typing import Annotated

import strawberry

from resolvers import second_factor_enrolment as enrolment
from resolvers.second_factor import Step
from schema.access import ANY_AGENT
from schema.declare import Payload, column, mutation, stored, written
from schema.payloads import AccountPayload
from schema.relay import GlobalID, Info, Node, key_of
from schema.scalars import JSON
from schema.tags import Tag

OF_AGENT_OR_ADMIN = {"AGENT": "({t}.agent_id = :agent or :admin)"}

Password = Annotated[str, strawberry.argument(description="One's password, once more.")]
Challenge = Annotated[str, strawberry.argument(description="The challenge that is answered.")]
Name = Annotated[str, strawberry.argument(description="What to call it, to tell it from others; 60 characters.")]


@strawberry.enum(description="How an agent shows who it is, beside the password.")
class SecondFactorMethod(Enum):
    """ASVS 5.0 section 6.5."""

    TOTP = strawberry.enum_value("TOTP", description="The six digits that an authenticator app shows.")
    PASSKEY = strawberry.enum_value("PASSKEY", description="A passkey or security key (WebAuthn).")
    RECOVERY_CODE = strawberry.enum_value("RECOVERY_CODE", description="One of ten codes kept for a loss.")


@strawberry.enum(description="What a second factor is.")
class SecondFactorKind(Enum):
    """What can be enrolled."""

    TOTP = strawberry.enum_value("TOTP", description="An authenticator app.")
    PASSKEY = strawberry.enum_value("PASSKEY", description="A passkey or security key.")


@stored("second_factor", OF_AGENT_OR_ADMIN, tag=Tag.SECOND_FACTOR, key=("id",))
@strawberry.type(description="An authenticator app or a passkey of an agent.")
class SecondFactor(Node):
    """A second factor; seen by its agent and by administrators."""

    method: SecondFactorKind = column("What it is.")
    name: str = column("What its agent calls it.")
    created_at: datetime = column("When it was enrolled.")
    used_at: datetime | None = column("When somebody last signed in with it.")


@strawberry.type(description="What an authenticator app needs (RFC 6238).")
class TotpEnrolment:
    """Shown once, as a QR code."""

    id: strawberry.ID = strawberry.field(description="Made for this enrolment, for caches.")
    secret: str = strawberry.field(description="The secret in base32, for typing.")
    uri: str = strawberry.field(description="The same as `otpauth:` address, for a QR code.")


@strawberry.type(description="What must be answered before an agent is signed in, or before a factor counts.")
class SecondFactorChallenge:
    """A challenge; it lives for minutes, is answered once, and dies of five wrong answers."""

    id: strawberry.ID = strawberry.field(description="Made for this challenge, for caches.")
    challenge: str = strawberry.field(description="To be sent back with the answer.")
    expires_at: datetime = strawberry.field(description="Until when it can be answered.")
    methods: list[SecondFactorMethod] = strawberry.field(description="What may be shown.")
    passkey_options: JSON | None = strawberry.field(
        default=None, description="For `navigator.credentials` (its JSON form), when a passkey may be shown or is made."
    )
    enrolment: TotpEnrolment | None = strawberry.field(
        default=None, description="For an authenticator app that is to be enrolled: its first code is the answer."
    )


def challenge_of(step: Step) -> SecondFactorChallenge:
    """Give a step of the resolvers as clients see it."""
    app = step.enrolment
    name = hashlib.sha256(step.challenge.encode()).hexdigest()
    return SecondFactorChallenge(
        id=strawberry.ID(f"challenge-{name}"),
        challenge=step.challenge,
        expires_at=step.expires_at,
        methods=[SecondFactorMethod[method] for method in step.methods],
        passkey_options=None if step.passkey_options is None else JSON(step.passkey_options),
        enrolment=TotpEnrolment(id=strawberry.ID(f"totp-{name}"), secret=app.secret, uri=app.uri) if app else None,
    )


@strawberry.type(description="What must be answered before a second factor counts.")
class SecondFactorChallengePayload(Payload):
    """Payload of enrolTotp and beginPasskey."""

    second_factor: SecondFactorChallenge | None = strawberry.field(
        default=None, description="What to show to the agent, unless refused."
    )


@strawberry.type(description="A second factor that was enrolled.")
class SecondFactorPayload(Payload):
    """Payload of confirmTotp and addPasskey."""

    second_factor: SecondFactor | None = written("The factor.", "{o}.id = :source_id")
    recovery_codes: list[str] | None = strawberry.field(
        default=None, description="With the first factor: ten codes, shown once, each good once."
    )


@strawberry.type(description="Recovery codes.")
class RecoveryCodesPayload(Payload):
    """Payload of renewRecoveryCodes."""

    recovery_codes: list[str] | None = strawberry.field(
        default=None, description="Ten codes, shown once, each good once; those before no longer count."
    )


@strawberry.type
class SecondFactorMutations:
    """Commands about one's own second factors."""

    @mutation(may=ANY_AGENT, description="Begin to enrol an authenticator app; it counts after `confirmTotp`.")
    async def enrol_totp(info: Info, password: Password) -> SecondFactorChallengePayload:
        """RFC 6238."""
        return SecondFactorChallengePayload(
            second_factor=challenge_of(await enrolment.begin_totp(info.context, password))
        )

    @mutation(may=ANY_AGENT, description="Let an authenticator app count, with a code that it shows.")
    async def confirm_totp(
        info: Info,
        challenge: Challenge,
        code: Annotated[str, strawberry.argument(description="Six digits that the app shows.")],
        name: Name = "",
    ) -> SecondFactorPayload:
        """RFC 6238."""
        factor_id, codes = await enrolment.confirm_totp(info.context, challenge, code, name)
        return SecondFactorPayload(id=factor_id, recovery_codes=codes)

    @mutation(may=ANY_AGENT, description="Begin to add a passkey; it counts after `addPasskey`.")
    async def begin_passkey(info: Info, password: Password) -> SecondFactorChallengePayload:
        """WebAuthn section 7.1."""
        step = await enrolment.begin_passkey(info.context, password)
        return SecondFactorChallengePayload(second_factor=challenge_of(step))

    @mutation(may=ANY_AGENT, description="Add the passkey that an authenticator made.")
    async def add_passkey(
        info: Info,
        challenge: Challenge,
        passkey: Annotated[
            JSON, strawberry.argument(description="What `navigator.credentials.create` gave, in its JSON form.")
        ],
        name: Name = "",
    ) -> SecondFactorPayload:
        """WebAuthn section 7.1."""
        factor_id, codes = await enrolment.add_passkey(info.context, challenge, passkey, name)
        return SecondFactorPayload(id=factor_id, recovery_codes=codes)

    @mutation(may=ANY_AGENT, description="Remove one of one's own second factors.")
    async def remove_second_factor(info: Info, factor: GlobalID, password: Password) -> AccountPayload:
        """The last one stays where one is required."""
        [factor_id] = key_of(info.context, factor, "SecondFactor", "factor")
        await enrolment.remove(info.context, factor_id, password)
        return AccountPayload()

    @mutation(may=ANY_AGENT, description="Make ten fresh recovery codes; those before no longer count.")
    async def renew_recovery_codes(info: Info, password: Password) -> RecoveryCodesPayload:
        """ASVS 5.0, 6.5.6."""
        return RecoveryCodesPayload(recovery_codes=await enrolment.renew_recovery_codes(info.context, password))
