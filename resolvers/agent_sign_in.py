"""The second half of an agent's sign-in: the answer to what was asked after the password."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from db import second_factor as stored
from db import throttle
from resolvers import passkeys, second_factor, second_factor_enrolment, sessions
from resolvers.context import Context
from resolvers.second_factor import SIGN_IN, Answer, Wrong

FREE_FAILURES = second_factor.MOST_FAILURES
"""So many wrong answers in a row, over all challenges, and an agent waits."""

WAIT = timedelta(minutes=15)
LONG_WAIT = timedelta(hours=1)
MOST_A_DAY = 25


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A sign-in that is complete; recovery codes when the answer enrolled the agent's first factor."""

    grant: sessions.Grant
    recovery_codes: list[str] | None = None


async def confirm(context: Context, token: str, answer: Answer, *, in_cookies: bool = False) -> Confirmed:
    """Open the session of an agent who answers the challenge of `signIn`.

    Raises Refusal: CHALLENGE_NOT_VALID (unknown, answered, expired, or five wrong answers), SECOND_FACTOR_REFUSED,
    THROTTLED, BAD_USER_INPUT where cookies cannot be set.
    """
    if in_cookies:
        sessions.check_cookies(context)
    challenge_id, agent_id = second_factor.named(context, token, SIGN_IN)
    if answer.passkey is not None:
        await passkeys.ready()
    async with context.transaction(system=True) as tx:
        outcome = await _confirmed(tx, context, challenge_id, agent_id, answer)
    if isinstance(outcome, str):
        raise context.refusal(outcome)
    return replace(outcome, grant=sessions.kept_in_cookies(context, outcome.grant)) if in_cookies else outcome


async def _confirmed(tx: Any, context: Context, challenge_id: UUID, agent_id: UUID, answer: Answer) -> Confirmed | str:
    """Do what a confirmation does; a refusal is a value (its code), so that the wrong answer is counted."""
    now = context.process.clock()
    subject = context.process.keys.digest("throttle", f"second-factor/{agent_id}")
    if not await _counted(tx, subject, now):
        return "THROTTLED"
    # The agent is held, so that two answers cannot spend the same code at once.
    enabled = await stored.hold_agent(tx, agent_id)
    most = second_factor.MOST_FAILURES
    challenge = await stored.hold_challenge(tx, challenge_id, agent_id, SIGN_IN, now, most)
    if enabled is None or challenge is None:
        await throttle.succeed(tx, subject)
        return "CHALLENGE_NOT_VALID"
    try:
        codes = await _proven(tx, context, challenge, answer)
    except Wrong as wrong:
        await stored.fail_challenge(tx, challenge.id)
        await context.record(tx, "second_factor_refused", family=None, subject=agent_id, code=wrong.code)
        return "SECOND_FACTOR_REFUSED"
    await throttle.succeed(tx, subject)
    await stored.end_challenge(tx, challenge.id, now)
    grant = await sessions.open_session(
        tx,
        context,
        family_id=None,
        account_id=None,
        agent_id=agent_id,
        now=now,
        shared_computer=challenge.shared_computer,
    )
    return Confirmed(grant, codes)


async def _counted(tx: Any, subject: bytes, now: datetime) -> bool:
    """Count an answer as wrong before it is looked at; False when there were too many.

    From the 5th in a row on an agent waits 15 minutes, from the 10th an hour; 25 a day.
    """
    attempts = await throttle.hold(tx, subject, now.date())
    if attempts.today >= MOST_A_DAY or (attempts.blocked_until is not None and attempts.blocked_until > now):
        return False
    failures = attempts.failures + 1
    wait = LONG_WAIT if failures >= 2 * FREE_FAILURES else WAIT
    await throttle.fail(tx, subject, now + wait if failures >= FREE_FAILURES else None)
    return True


async def _proven(tx: Any, context: Context, challenge: stored.Challenge, answer: Answer) -> list[str] | None:
    """Check the answer; give recovery codes when it enrolled the first factor. Raises Wrong."""
    factors = await stored.of_agent(tx, challenge.agent_id)
    if challenge.sealed_secret is None:
        method = await second_factor.prove(tx, context, challenge, factors, answer)
        if method == second_factor.RECOVERY_CODE:
            await context.record(tx, "recovery_code_used", family=None, subject=challenge.agent_id)
        return None
    if factors:
        raise Wrong("ENROLLED_MEANWHILE")
    _, codes = await second_factor_enrolment.enrol_totp(tx, context, challenge, answer.code or "", "")
    return codes
