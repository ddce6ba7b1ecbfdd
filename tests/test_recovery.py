"""A forgotten password: the link that recovers a login, and nobody else's."""

import asyncio
from datetime import timedelta

import pytest

from tests.house import KEYS, PASSWORD, SIGN_IN, House, Made, token_in
from tests.live import Socket
from tests.test_accounts import ACTIVATE, VERIFY

REQUEST = "mutation ($identifier: String!) { requestPasswordReset(identifier: $identifier) { problems { code } } }"
RESET = """mutation ($token: String!, $password: String!) {
    resetPassword(token: $token, password: $password) { problems { code path } } }"""
NEW = "Cheval-Lampe-42"
WORDS = "reset-password"


def links(house: House, family: Made) -> list[str]:
    """Give the tokens of all links that were sent."""
    texts = [caught.part("plain") for caught in house.catcher.to(family.email)]
    return [token_in(text) for text in texts if WORDS in text]


async def link(house: House, family: Made) -> str:
    """Ask for a link and give its token."""
    earlier = links(house, family)
    await house.do(REQUEST, identifier=family.email)
    await house.catcher.wait_for(lambda: len(links(house, family)) > len(earlier))
    return links(house, family)[-1]


async def signs_in(house: House, family: Made, password: str) -> list[str]:
    return await house.problems(SIGN_IN, identifier=family.email, password=password, as_="FAMILY")


async def test_a_link_gives_a_new_password_and_ends_every_session(house: House) -> None:
    family, old = await house.member()
    token = await link(house, family)
    async with Socket(house, old) as socket:
        await socket.subscribe("1", "subscription { news { cursor } }")
        await house.do(RESET, token=token, password=NEW)
        async with asyncio.timeout(2):
            assert await socket.closed() == 4403
    assert (await house.ask("{ viewer { id } }", old)).codes == ["UNAUTHENTICATED"]
    assert await signs_in(house, family, PASSWORD) == ["BAD_CREDENTIALS"]
    assert await signs_in(house, family, NEW) == []
    assert "bloquez cet accès" in await house.mail_to(family.email, "mot de passe a été changé")
    rows = await house.connection.fetch("select act from audit_entry where family_id = $1", family.id)
    assert {"password_reset_requested", "password_reset"} <= {row["act"] for row in rows}


async def test_a_link_works_once_also_for_many_at_the_same_moment(house: House) -> None:
    family, _ = await house.member()
    token = await link(house, family)
    told = await asyncio.gather(*(house.problems(RESET, token=token, password=f"{NEW}{n}") for n in range(5)))
    assert sorted(told) == [[]] + [["LINK_NOT_VALID"]] * 4
    assert await house.problems(RESET, token=token, password=NEW) == ["LINK_NOT_VALID"]


async def test_a_link_is_good_for_half_an_hour_and_another_one_ends_it(house: House) -> None:
    family, _ = await house.member()
    first = await link(house, family)
    second = await link(house, family)
    assert await house.problems(RESET, token=first, password=NEW) == ["LINK_NOT_VALID"]
    house.clock.ahead = timedelta(minutes=31)
    assert await house.problems(RESET, token=second, password=NEW) == ["LINK_NOT_VALID"]
    assert await signs_in(house, family, PASSWORD) == []


async def test_links_of_others_kinds_and_makers_are_refused(house: House) -> None:
    family, _ = await house.member()
    other, _ = await house.member()
    await link(house, family)
    row = await house.connection.fetchrow("select * from password_reset where family_id = $1", family.id)
    assert row is not None
    named, later = {"family": str(family.id), "request": str(row["id"])}, house.clock() + timedelta(minutes=5)
    for forged in (
        str(row["id"]),
        KEYS.link_token("verify-email", named, later),
        KEYS.link_token("reset-password", named | {"family": str(other.id)}, later),
        KEYS.link_token("reset-password", named | {"request": str(other.id)}, later),
        KEYS.link_token("reset-password", {"family": str(family.id)}, later),
        KEYS.link_token("reset-password", named | {"request": 7}, later),
        "",
    ):
        assert await house.problems(RESET, token=forged, password=NEW) == ["LINK_NOT_VALID"]
    assert await signs_in(house, family, PASSWORD) == []


async def test_what_the_database_holds_of_a_link_does_not_make_one(house: House) -> None:
    """A reader of every table has neither the link nor what signs it."""
    family, _ = await house.member()
    token = await link(house, family)
    tables = await house.connection.fetch(
        "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'"
    )
    for table in tables:
        text = await house.connection.fetchval(
            f"select coalesce(string_agg(t::text, ' '), '') from {table['relname']} t"
        )
        assert token not in text and token.rpartition(".")[2] not in text


@pytest.mark.parametrize(
    ("password", "code"),
    [("court-1", "PASSWORD_TOO_SHORT"), ("Marseille13", "PASSWORD_TOO_COMMON"), ("Rvqh-essai-9x", "PASSWORD_PERSONAL")],
)
async def test_a_weak_password_does_not_use_the_link_up(house: House, password: str, code: str) -> None:
    family, _ = await house.member()
    token = await link(house, family)
    assert code in await house.problems(RESET, token=token, password=password)
    assert await house.problems(RESET, token=token, password=NEW) == []


async def test_at_most_three_messages_an_hour_go_to_an_account(house: House) -> None:
    family, _ = await house.member()
    asked = [house.problems(REQUEST, identifier=identifier) for identifier in (family.email, family.number) * 4]
    assert await asyncio.gather(*asked) == [[]] * 8
    sent = """select count(*) from delivery d join news n on n.family_id = d.family_id and n.seq = d.news_seq
        where d.family_id = $1 and n.type = 'password_reset_requested'"""
    assert await house.connection.fetchval(sent, family.id) == 3
    house.clock.ahead = timedelta(hours=1, seconds=1)
    await house.do(REQUEST, identifier=family.email)
    assert await house.connection.fetchval(sent, family.id) == 4


async def test_known_unknown_and_unverified_are_answered_alike(house: House) -> None:
    family, _ = await house.member()
    unverified = await house.make_family()
    given = {"number": unverified.number, "code": unverified.code, "email": unverified.email, "password": PASSWORD}
    await house.do(ACTIVATE, **given)
    identifiers = (family.email, family.number, unverified.email, "personne@example.org", "99999999", "", "x" * 3000)
    bodies = [(await house.ask(REQUEST, identifier=each)).body for each in identifiers]
    assert bodies == [bodies[0]] * len(bodies)
    assert len({str(body.get("errors")) for body in bodies}) == 1


async def test_the_link_proves_the_address_too(house: House) -> None:
    family = await house.make_family()
    given = {"number": family.number, "code": family.code, "email": family.email, "password": PASSWORD}
    await house.do(ACTIVATE, **given)
    assert await signs_in(house, family, PASSWORD) == ["EMAIL_NOT_VERIFIED"]
    await house.do(RESET, token=await link(house, family), password=NEW)
    assert await signs_in(house, family, NEW) == []
    assert (
        await house.connection.fetchval(
            "select count(*) from address where family_id = $1 and verified_at is not null", family.id
        )
        == 1
    )


async def test_an_address_verified_by_another_login_meanwhile_is_not_taken_over(house: House) -> None:
    late, quick = await house.make_family(), await house.make_family()
    for each in (quick, late):
        await house.do(ACTIVATE, number=each.number, code=each.code, email=late.email, password=PASSWORD)
    token = await link(house, late)
    await house.do(VERIFY, token=token_in(await house.mail_to(late.email, quick.number)))
    assert await house.problems(RESET, token=token, password=NEW) == ["LINK_NOT_VALID"]
    assert (
        await house.connection.fetchval(
            "select count(*) from account where email = $1 and email_verified_at is not null", late.email
        )
        == 1
    )


async def test_whoever_guessed_at_the_password_does_not_keep_the_owner_out_after_a_reset(house: House) -> None:
    family, _ = await house.member()
    for _ in range(5):
        await signs_in(house, family, "Mauvais-Mot-1")
    assert await signs_in(house, family, PASSWORD) == ["THROTTLED"]
    await house.do(RESET, token=await link(house, family), password=NEW)
    assert await signs_in(house, family, NEW) == []


async def test_one_network_address_asks_for_so_many_links_a_day_for_whomever(house: House) -> None:
    most = house.settings.accounts.requests_a_day
    house.clock.ahead = timedelta(hours=house.clock().hour == 23)  # the day of UTC does not end meanwhile
    asked = [house.problems(REQUEST, identifier=f"personne{n}@example.org") for n in range(most + 5)]
    told = [answer for start in range(0, most + 5, 20) for answer in await asyncio.gather(*asked[start : start + 20])]
    assert told.count(["THROTTLED"]) == 5 and told.count([]) == most
