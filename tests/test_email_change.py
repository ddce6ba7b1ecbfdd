"""A login's new address counts once both addresses have confirmed it, and never by one alone."""

from datetime import timedelta

import pytest

from tests.house import KEYS, PASSWORD, SIGN_IN, House, Made, token_in

CHANGE = """mutation ($email: EmailAddress!, $password: String!) {
    changeEmail(email: $email, password: $password) { problems { code path } } }"""
CONFIRM = "mutation ($token: String!) { confirmEmailChange(token: $token) { problems { code } complete } }"
CANCEL = "mutation ($token: String!) { cancelEmailChange(token: $token) { problems { code } } }"


async def asked(house: House, *, new: str | None = None) -> tuple[Made, str, str, str, str]:
    """Ask for another address; give the family, its session, the new address, and the tokens sent to old and new."""
    family, token = await house.member()
    new = new or f"nouvelle{family.number}@example.org"
    await house.do(CHANGE, token, email=new, password=PASSWORD)
    by_old = token_in(await house.mail_to(family.email, "email-change"))
    return family, token, new, by_old, token_in(await house.mail_to(new, "email-change"))


async def email_of(house: House, family: Made) -> str:
    found: str = await house.connection.fetchval("select email from account where family_id = $1", family.id)
    return found


async def addresses(house: House, family: Made) -> list[tuple[str, bool]]:
    """Give the addresses by which the family is told, and whether each is in use."""
    rows = await house.connection.fetch(
        """select value, verified_at is not null and retired_at is null as used from address
           where family_id = $1 order by created_at""",
        family.id,
    )
    return [(row["value"], row["used"]) for row in rows]


@pytest.mark.parametrize("old_first", [True, False])
async def test_an_address_changes_once_both_have_confirmed(house: House, old_first: bool) -> None:
    family, _, new, by_old, by_new = await asked(house)
    first, last = (by_old, by_new) if old_first else (by_new, by_old)
    assert (await house.do(CONFIRM, token=first))["complete"] is False
    assert (await house.do(CONFIRM, token=first))["complete"] is False, "a second click on the same link"
    assert await email_of(house, family) == family.email
    assert (await house.do(CONFIRM, token=last))["complete"] is True
    assert await email_of(house, family) == new
    assert await addresses(house, family) == [(family.email, False), (new, True)]
    for address in (family.email, new):
        assert "report-unauthorized-use" in await house.mail_to(address, "adresse électronique a été changée")
    assert await house.sign_in(new)
    old = {"identifier": family.email, "password": PASSWORD, "as_": "FAMILY"}
    assert await house.problems(SIGN_IN, **old) == ["BAD_CREDENTIALS"]
    assert await house.problems(CONFIRM, token=last) == ["LINK_NOT_VALID"]
    said = (
        "select count(*) from audit_entry where family_id = $1 and act in ('email_change_requested', 'email_changed')"
    )
    assert await house.connection.fetchval(said, family.id) == 2


async def test_either_address_cancels_a_change(house: House) -> None:
    for side in (0, 1):
        family, _, _, *tokens = await asked(house)
        await house.do(CONFIRM, token=tokens[1 - side])
        await house.do(CANCEL, token=tokens[side])
        assert "reste la même" in await house.mail_to(family.email, "annulé")
        for token in tokens:
            assert await house.problems(CONFIRM, token=token) == ["LINK_NOT_VALID"]
            assert await house.problems(CANCEL, token=token) == ["LINK_NOT_VALID"]
        assert await email_of(house, family) == family.email


async def test_a_change_is_open_for_a_day_and_another_one_ends_it(house: House) -> None:
    family, token, new, by_old, _ = await asked(house)
    await house.do(CHANGE, token, email=f"x{new}", password=PASSWORD)
    assert await house.problems(CONFIRM, token=by_old) == ["LINK_NOT_VALID"]
    late = token_in(await house.mail_to(f"x{new}", "email-change"))
    house.clock.ahead = timedelta(hours=24, seconds=1)
    assert await house.problems(CONFIRM, token=late) == ["LINK_NOT_VALID"]
    assert await email_of(house, family) == family.email


async def test_a_taken_address_is_not_told_and_not_given(house: House) -> None:
    owner, _ = await house.member()
    family, _, _, by_old, by_new = await asked(house, new=owner.email)
    assert (await house.do(CONFIRM, token=by_new))["complete"] is False
    assert await house.problems(CONFIRM, token=by_old) == ["LINK_NOT_VALID"]
    assert await email_of(house, family) == family.email
    assert await addresses(house, family) == [(family.email, True)]
    assert await house.sign_in(owner.email)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"password": "Mauvais-Mot-1"}, "PASSWORD_WRONG"),
        ({"email": "pas une adresse"}, "EMAIL_NOT_VALID"),
        ({"email": "deux@lignes.example\nBcc: x@y.example"}, "EMAIL_NOT_VALID"),
    ],
)
async def test_a_refused_request_sends_nothing(house: House, changed: dict[str, str], code: str) -> None:
    family, token = await house.member()
    given = {"email": "nouvelle@example.org", "password": PASSWORD} | changed
    assert await house.problems(CHANGE, token, **given) == [code]
    assert await house.problems(CHANGE, token, **given | {"email": family.email.upper(), "password": PASSWORD}) == [
        "BAD_USER_INPUT"
    ]
    assert await house.connection.fetchval("select count(*) from email_change") == 0
    assert house.catcher.to("nouvelle@example.org") == []


async def test_an_account_asks_for_so_many_changes_a_day(house: House) -> None:
    _, token = await house.member()
    most = house.settings.accounts.email_changes_a_day
    told = [await house.problems(CHANGE, token, email=f"n{n}@example.org", password=PASSWORD) for n in range(most + 1)]
    assert told == [[]] * most + [["THROTTLED"]]


async def test_forged_links_and_links_of_another_kind_are_refused(house: House) -> None:
    family, _, _, by_old, by_new = await asked(house)
    other, _ = await house.member()
    row = await house.connection.fetchrow("select * from email_change where family_id = $1", family.id)
    assert row is not None
    named, later = (
        {"family": str(family.id), "change": str(row["id"]), "side": "old"},
        house.clock() + timedelta(hours=1),
    )
    for forged in (
        by_old[:-4] + "AAAA",
        KEYS.link_token("verify-email", named, later),
        KEYS.link_token("email-change", named | {"family": str(other.id)}, later),
        KEYS.link_token("email-change", named, house.clock() - timedelta(seconds=1)),
        "",
    ):
        assert await house.problems(CONFIRM, token=forged) == ["LINK_NOT_VALID"]
        assert await house.problems(CANCEL, token=forged) == ["LINK_NOT_VALID"]
    assert (await house.do(CONFIRM, token=by_new))["complete"] is False, "the other side has not confirmed"


async def test_a_reset_link_sent_to_the_old_address_ends_with_the_change(house: House) -> None:
    family, _, _, by_old, by_new = await asked(house)
    request = "mutation ($identifier: String!) { requestPasswordReset(identifier: $identifier) { problems { code } } }"
    await house.do(request, identifier=family.email)
    token = token_in(await house.mail_to(family.email, "reset-password"))
    await house.do(CONFIRM, token=by_old)
    await house.do(CONFIRM, token=by_new)
    reset = 'mutation ($t: String!) { resetPassword(token: $t, password: "Cheval-Lampe-42") { problems { code } } }'
    assert await house.problems(reset, t=token) == ["LINK_NOT_VALID"]
