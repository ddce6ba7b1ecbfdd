"""Several logins of one family: invited by e-mail, each with its own credentials, removed by another (R11)."""

from datetime import timedelta
from typing import Any

import pytest

from tests.clockwork import run_due
from tests.house import PASSWORD, SIGN_IN, House, token_in
from tests.test_closure import CLOSE, all_sent, last_message_gone, traces
from tests.test_families import ADD, acts
from tests.test_passwords import CHANGE

INVITE = """mutation ($email: EmailAddress!, $member: ID) { inviteAdult(email: $email, member: $member) {
    problems { code path } invitation { id email expiresAt acceptedAt revokedAt member { firstName } } } }"""
ACCEPT = """mutation ($token: String!, $password: String!, $terms: Int) {
    acceptInvitation(token: $token, password: $password, acceptsTerms: $terms) { problems { code path } } }"""
REVOKE = """mutation ($id: ID!) { revokeInvitation(invitation: $id) {
    problems { code path } invitation { revokedAt } } }"""
REMOVE = """mutation ($id: ID!, $password: String!) { removeAccount(account: $id, password: $password) {
    problems { code path } } }"""
LOGINS = """query { viewer { account { id email member { firstName } } family {
    accounts { edges { node { id email emailVerifiedAt member { firstName } } } }
    invitations { edges { node { id email acceptedAt revokedAt } } } sessions { edges { node { id } } } } } }"""
GOOD = "Un-mot-de-passe-7"
GUEST = "autre.parent@example.org"


async def logins(house: House, token: str) -> Any:
    """Give the logins and invitations of a family."""
    return (await house.ask(LOGINS, token)).data["viewer"]


async def emails(house: House, token: str) -> list[str]:
    """Give the addresses of the logins."""
    return [edge["node"]["email"] for edge in (await logins(house, token))["family"]["accounts"]["edges"]]


async def invited(house: House, token: str, email: str = GUEST, **more: Any) -> tuple[str, str]:
    """Invite an adult; give the invitation and the token in its mail."""
    house.catcher.messages.clear()  # an earlier one may have gone to the same address
    invitation = (await house.do(INVITE, token, email=email, **more))["invitation"]
    return invitation["id"], token_in(await house.mail_to(email, "Ouvrez votre propre accès"))


async def joined(house: House, token: str, email: str = GUEST) -> str:
    """Invite an adult that accepts; give the access token of its first session."""
    _, link = await invited(house, token, email)
    await house.do(ACCEPT, None, token=link, password=GOOD, terms=1)
    return await signed_in(house, email)


async def signed_in(house: House, email: str, password: str = GOOD) -> str:
    """Sign in with a password of one's own."""
    payload = await house.do(SIGN_IN, identifier=email, password=password, as_="FAMILY")
    found: str = payload["session"]["accessToken"]
    return found


async def test_an_invited_adult_opens_a_login_of_its_own_and_the_family_is_told(house: House) -> None:
    family, token = await house.member()
    adult = (await house.do(ADD, token, role="ADULT", first="Paul", last="Essai"))["member"]["id"]
    invitation = (await house.do(INVITE, token, email=f"  {GUEST.upper()} ", member=adult))["invitation"]
    assert (invitation["email"], invitation["member"]["firstName"]) == (GUEST, "Paul")
    link = token_in(await house.mail_to(GUEST, "Ouvrez votre propre accès"))
    await house.do(ACCEPT, None, token=link, password=GOOD, terms=1)
    guest = await signed_in(house, GUEST)
    seen = await logins(house, guest)
    assert seen["account"]["email"] == GUEST and seen["account"]["member"]["firstName"] == "Paul"
    assert [edge["node"]["email"] for edge in seen["family"]["accounts"]["edges"]] == [family.email, GUEST]
    assert seen["family"]["invitations"]["edges"][0]["node"]["acceptedAt"] is not None
    assert GUEST in await house.mail_to(family.email, "nouvel accès")
    assert await acts(house, family) == ["member_added", "adult_invited", "terms_accepted", "invitation_accepted"]
    kept = await house.connection.fetchrow(
        "select manner from terms_acceptance where manner = 'REGISTRATION' and "
        "account_id = (select id from account where email = $1)",
        GUEST,
    )
    assert kept is not None


async def test_a_link_opens_one_login_once_and_for_seven_days(house: House) -> None:
    _, token = await house.member()
    _, link = await invited(house, token)
    wrong = {"token": link, "password": "faible"}
    assert "LINK_NOT_VALID" not in await house.problems(ACCEPT, None, **wrong)
    await house.do(ACCEPT, None, token=link, password=GOOD)
    given = {"token": link, "password": GOOD}
    assert await house.problems(ACCEPT, None, **given) == ["LINK_NOT_VALID"]
    _, late = await invited(house, token, "tard@example.org")
    house.clock.ahead = timedelta(days=7, minutes=1)
    assert await house.problems(ACCEPT, None, token=late, password=GOOD) == ["LINK_NOT_VALID"]
    house.clock.ahead = timedelta()
    assert await emails(house, token) == [(await logins(house, token))["account"]["email"], GUEST]


@pytest.mark.parametrize("forged", ["", "x", "a.b.c"])
async def test_a_forged_link_opens_nothing(house: House, forged: str) -> None:
    _, token = await house.member()
    _, link = await invited(house, token)
    for text in (forged, link[:-2] + ("AA" if link[-2:] != "AA" else "BB")):
        assert await house.problems(ACCEPT, None, token=text, password=GOOD) == ["LINK_NOT_VALID"]
    other = house.opened.process.keys.link_token("verify-email", {"family": "x"}, house.clock() + timedelta(days=1))  # type: ignore[union-attr]
    assert await house.problems(ACCEPT, None, token=other, password=GOOD) == ["LINK_NOT_VALID"]
    assert len(await emails(house, token)) == 1


async def test_an_invitation_to_a_terminated_family_opens_nothing(house: House) -> None:
    family, token = await house.member()
    _, link = await invited(house, token)
    await house.connection.execute("update family set terminated_at = now() where id = $1", family.id)
    assert await house.problems(ACCEPT, None, token=link, password=GOOD) == ["LINK_NOT_VALID"]
    assert await house.connection.fetchval("select count(*) from account where email = $1", GUEST) == 0


async def test_a_revoked_or_replaced_invitation_opens_nothing(house: House) -> None:
    family, token = await house.member()
    first, old = await invited(house, token)
    second = (await house.do(INVITE, token, email=GUEST))["invitation"]["id"]
    assert await house.problems(ACCEPT, None, token=old, password=GOOD) == ["LINK_NOT_VALID"]
    assert await house.problems(REVOKE, token, id=first) == ["NOT_FOUND"], "the second took its place"
    assert (await house.do(REVOKE, token, id=second))["invitation"]["revokedAt"] is not None
    assert await house.problems(REVOKE, token, id=second) == ["NOT_FOUND"]
    seen = (await logins(house, token))["family"]["invitations"]["edges"]
    assert all(edge["node"]["revokedAt"] for edge in seen) and len(seen) == 2
    assert await emails(house, token) == [family.email]


async def test_an_address_with_an_account_gets_the_same_answer_and_its_link_opens_nothing(house: House) -> None:
    family, token = await house.member()
    other, other_token = await house.member()
    fresh = (await house.ask(INVITE, token, email=GUEST)).data["inviteAdult"]
    known = (await house.ask(INVITE, token, email=other.email)).data["inviteAdult"]
    assert {**known["invitation"], "id": 0, "email": 0, "expiresAt": 0} == {
        **fresh["invitation"],
        "id": 0,
        "email": 0,
        "expiresAt": 0,
    }
    link = token_in(await house.mail_to(other.email, "Ouvrez votre propre accès"))
    assert await house.problems(ACCEPT, None, token=link, password=GOOD) == ["LINK_NOT_VALID"]
    assert await emails(house, token) == [family.email]
    assert await emails(house, other_token) == [other.email]


async def test_logins_and_invitations_have_their_limits(house: House) -> None:
    family, token = await house.member()
    links = [(await invited(house, token, f"adulte{n}@example.org"))[1] for n in range(10)]
    assert await house.problems(INVITE, token, email="un.de.trop@example.org") == ["TOO_MANY_INVITATIONS"]
    for link in links[:4]:
        await house.do(ACCEPT, None, token=link, password=GOOD)
    assert await house.problems(ACCEPT, None, token=links[4], password=GOOD) == ["TOO_MANY_LOGINS"]
    assert await house.problems(INVITE, token, email="un.de.trop@example.org") == ["TOO_MANY_LOGINS"]
    assert len(await emails(house, token)) == 5
    assert (await acts(house, family)).count("invitation_accepted") == 4


async def test_an_invitation_names_an_adult_of_the_own_family_or_nobody(house: House) -> None:
    _, token = await house.member()
    _, stranger = await house.member()
    foreign = (await house.do(ADD, stranger, role="ADULT", first="Paul", last="Essai"))["member"]["id"]
    child = (await house.do(ADD, token, role="CHILD", first="Zoé", last="Essai"))["member"]["id"]
    for member in (foreign, child):
        assert await house.problems(INVITE, token, email=GUEST, member=member) == ["NOT_FOUND"]
    assert await house.problems(INVITE, token, email="pas une adresse") == ["EMAIL_NOT_VALID"]
    mine = (await house.do(INVITE, token, email=GUEST))["invitation"]["id"]
    assert await house.problems(REVOKE, stranger, id=mine) == ["NOT_FOUND"]
    assert (await logins(house, stranger))["family"]["invitations"]["edges"] == []


async def test_a_removed_login_is_out_at_once_and_everybody_is_told(house: House) -> None:
    family, token = await house.member()
    guest = await joined(house, token)
    account = (await logins(house, guest))["account"]["id"]
    await house.connection.execute(
        """insert into device (family_id, account_id, hash, first_seen_at, last_seen_at)
           select family_id, id, '\\x00', now(), now() from account where email = $1""",
        GUEST,
    )
    await house.do(REMOVE, token, id=account, password=PASSWORD)
    assert await house.connection.fetchval("select count(*) from device where hash = '\\x00'") == 0
    assert (await house.ask(LOGINS, guest)).codes != [] or (await logins(house, guest))["family"] is None
    for address in (family.email, GUEST):
        assert GUEST in await house.mail_to(address, "a été retiré")
    assert await emails(house, token) == [family.email]
    assert await house.problems(SIGN_IN, None, identifier=GUEST, password=GOOD, as_="FAMILY") == ["BAD_CREDENTIALS"]
    left = await house.connection.fetch(
        "select email::text from account where family_id = $1 union all select value from address where family_id = $1",
        family.id,
    )
    assert GUEST not in {row[0] for row in left}, "its address is erased"
    assert (await acts(house, family))[-1] == "account_removed"
    again = await joined(house, token)
    assert (await logins(house, again))["account"]["email"] == GUEST, "it may be invited again"


async def test_a_removed_login_leaves_no_trace_once_it_was_told(house: House) -> None:
    family, token = await house.member()
    account = (await logins(house, await joined(house, token)))["account"]["id"]
    await house.do(REMOVE, token, id=account, password=PASSWORD)
    assert await traces(house, GUEST), "what is being sent to it"
    await last_message_gone(house, family, "a été retiré")
    assert await traces(house, GUEST) == {}
    assert await emails(house, token) == [family.email]
    assert await house.connection.fetchval(
        "select count(*) from delivery where family_id = $1 and address = $2", family.id, family.email
    ), "what was sent to those who stay keeps its proof"


async def test_what_others_are_still_to_read_of_a_removed_login_is_kept_until_they_have_it(
    house: House,
) -> None:
    family, token = await house.member()
    house.catcher.busy(family.email)
    account = (await logins(house, await joined(house, token)))["account"]["id"]
    await house.do(REMOVE, token, id=account, password=PASSWORD)
    house.clock.ahead = timedelta(minutes=2)
    assert await run_due(house, "forget_last_address") == {("forget_last_address", "again"): 1}
    assert (await traces(house, GUEST))["news"] == 3, "the invitation, the new login, its end"
    house.catcher.behave(family.email)
    for words in ("a été envoyée", "a été ouvert", "a été retiré"):
        assert GUEST in await house.mail_to(family.email, words)
    await all_sent(house, family)
    house.clock.ahead = timedelta(minutes=8)
    assert await run_due(house, "forget_last_address") == {("forget_last_address", "done"): 1}
    assert await traces(house, GUEST) == {}


async def test_guesses_at_a_password_count_together_whatever_is_asked(house: House) -> None:
    _, token = await house.member()
    theirs = (await logins(house, await joined(house, token)))["account"]["id"]
    wrong = "Pas-le-bon-7"
    assert await house.problems(REMOVE, token, id=theirs, password=wrong) == ["PASSWORD_WRONG"]
    assert await house.problems(CLOSE, token, password=wrong) == ["PASSWORD_WRONG"]
    for _ in range(2):
        assert await house.problems(CHANGE, token, current=wrong, new=GOOD, others=True) == ["PASSWORD_WRONG"]
    assert await house.problems(CLOSE, token, password=PASSWORD) == ["THROTTLED"]
    assert await house.problems(REMOVE, token, id=theirs, password=PASSWORD) == ["THROTTLED"]
    assert len(await emails(house, token)) == 2


async def test_nobody_removes_the_last_login_ones_own_or_with_a_wrong_password(house: House) -> None:
    _, token = await house.member()
    own = (await logins(house, token))["account"]["id"]
    assert await house.problems(REMOVE, token, id=own, password=PASSWORD) == ["LAST_LOGIN"]
    guest = await joined(house, token)
    theirs = (await logins(house, guest))["account"]["id"]
    assert await house.problems(REMOVE, token, id=own, password=PASSWORD) == ["OWN_LOGIN"]
    assert await house.problems(REMOVE, token, id=theirs, password="Pas-le-bon-7") == ["PASSWORD_WRONG"]
    _, stranger = await house.member()
    assert await house.problems(REMOVE, stranger, id=theirs, password=PASSWORD) == ["NOT_FOUND"]
    assert len(await emails(house, token)) == 2
    for _ in range(3):
        await house.problems(REMOVE, token, id=theirs, password="Pas-le-bon-7")
    assert await house.problems(REMOVE, token, id=theirs, password=PASSWORD) == ["THROTTLED"]
    assert len(await emails(house, token)) == 2


async def test_the_family_number_signs_in_the_first_login_that_is_left(house: House) -> None:
    family, token = await house.member()
    guest = await joined(house, token)
    first = (await logins(house, token))["account"]["id"]
    await house.do(REMOVE, guest, id=first, password=GOOD)
    by_number = await signed_in(house, family.number)
    assert (await logins(house, by_number))["account"]["email"] == GUEST
