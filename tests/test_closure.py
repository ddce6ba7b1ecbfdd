"""A family leaves (R10): at once, wholly, with one last message; and may come back."""

import asyncio
from datetime import timedelta

from db.ids import uuid7
from resolvers import activation_codes
from tests.clockwork import run_due
from tests.conftest import Database
from tests.house import KEYS, PASSWORD, SIGN_IN, START, House, Made, opened, token_in
from tests.live import Socket

CLOSE = """mutation ($password: String!, $reason: ClosureReason) {
    closeAccount(password: $password, reason: $reason) { problems { code } } }"""
ACTIVATE = """mutation ($number: String!, $code: String!, $email: EmailAddress!, $password: String!) {
    activateAccount(familyNumber: $number, activationCode: $code, email: $email, password: $password) {
        problems { code } } }"""
VERIFY = "mutation ($token: String!) { verifyEmail(token: $token) { problems { code } } }"
FOLLOW = "subscription { news { cursor } }"
WHO = "{ viewer { family { number } } }"
CLOSED = "query ($number: String!) { family(number: $number) { number closedAt } }"


async def traces(house: House, text: str) -> dict[str, int]:
    """Count the rows of each table that hold a text, wherever it stands."""
    found = {}
    tables = await house.connection.fetch(
        "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'"
    )
    for table in (row["relname"] for row in tables):
        count = await house.connection.fetchval(f"select count(*) from {table} t where strpos(t::text, $1) > 0", text)
        if count:
            found[table] = count
    return found


async def second_login(house: House, family: Made) -> tuple[str, str]:
    """Give a second login of a family: its address and an access token."""
    email, account_id = f"autre{family.number}@example.org", uuid7()
    await house.connection.execute(
        """insert into account (family_id, id, email, email_verified_at, password_hash, created_at)
           select $1, $2, $3, now(), password_hash, now() from account where family_id = $1 limit 1""",
        family.id,
        account_id,
        email,
    )
    await house.connection.execute(
        """insert into address (family_id, id, account_id, channel, value, verified_at, created_at)
           values ($1, $2, $3, 'EMAIL', $4, now(), now())""",
        family.id,
        uuid7(),
        account_id,
        email,
    )
    await house.connection.execute(
        """insert into terms_acceptance (family_id, account_id, version, hash, manner, accepted_at)
           select $1, $2, version, hash, 'EXPLICIT', now() from terms""",
        family.id,
        account_id,
    )
    return email, await house.sign_in(email)


async def all_sent(house: House, family: Made) -> None:
    """Wait until no message to a family waits."""
    waiting = "select exists (select from delivery where family_id = $1 and status = 'PENDING')"
    async with asyncio.timeout(10):
        while await house.connection.fetchval(waiting, family.id):
            await asyncio.sleep(0.02)


async def last_message_gone(house: House, family: Made, words: str = "fermé") -> None:
    """Wait until the last message went out, and let the clock erase where it went."""
    await house.mail_to(family.email, words)
    await all_sent(house, family)
    house.clock.ahead = timedelta(minutes=2)
    await run_due(house, "forget_last_address")
    house.clock.ahead = timedelta()


async def test_closing_erases_credentials_and_contacts_everywhere_and_says_good_bye(house: House) -> None:
    family, token = await house.member()
    await house.submitted(token)
    await house.do(START, token, kind="cantine", key=str(uuid7()), answers={})
    await house.mail_to(family.email, "démarche")
    assert await traces(house, family.email)
    await house.connection.execute(
        """insert into email_change (family_id, id, account_id, old_email, new_email, requested_at, expires_at)
           select family_id, $2, id, 'ancienne@example.org', email, now(), now() + interval '1 day'
           from account where family_id = $1""",
        family.id,
        uuid7(),
    )
    await house.connection.execute("insert into identity_provider (issuer, name) values ('https://id.example', 'ID')")
    await house.connection.execute(
        """insert into provider_link (family_id, id, account_id, provider_id, subject_hmac, created_at)
           select a.family_id, $2, a.id, p.id, 'x', now() from account a, identity_provider p where a.family_id = $1""",
        family.id,
        uuid7(),
    )
    assert await house.connection.fetchval("select count(*) from provider_link") == 1
    await house.do(CLOSE, token, password=PASSWORD, reason="MOVED_AWAY")
    text = await house.mail_to(family.email, "fermé")
    assert "Démarches en cours : 1" in text.replace("\N{NO-BREAK SPACE}", " ") and "par courrier" in text
    await last_message_gone(house, family)
    assert await traces(house, family.email) == await traces(house, "ancienne@example.org") == {}
    assert await house.connection.fetchval("select count(*) from provider_link") == 0
    state = await house.connection.fetch("select status from procedure where family_id = $1 order by id", family.id)
    assert [row["status"] for row in state] == ["SUBMITTED", "WITHDRAWN"], "what was filed stays, the draft does not"
    act = await house.connection.fetchval(
        "select data::text from audit_entry where family_id = $1 and act = 'account_closed'", family.id
    )
    assert "MOVED_AWAY" in act and family.email not in act
    seen = (await house.ask(CLOSED, await house.agent(), number=family.number)).data["family"]
    assert seen["closedAt"] is not None


async def test_after_closing_nothing_lets_in_and_sockets_close(house: House) -> None:
    family, token = await house.member()
    other = await house.sign_in(family.email)
    async with Socket(house, token) as socket, Socket(house, other) as second:
        await socket.subscribe("1", FOLLOW)
        await second.subscribe("1", FOLLOW)
        await house.do(CLOSE, token, password=PASSWORD)
        async with asyncio.timeout(2):
            assert await socket.closed() == await second.closed() == 4403
    for gone in (token, other):
        assert (await house.ask(WHO, gone)).codes == ["UNAUTHENTICATED"]
    for identifier in (family.email, family.number):
        given = {"identifier": identifier, "password": PASSWORD, "as_": "FAMILY"}
        assert await house.problems(SIGN_IN, **given) == ["BAD_CREDENTIALS"]
    code = {"number": family.number, "code": family.code, "email": family.email, "password": PASSWORD}
    assert await house.problems(ACTIVATE, **code) == ["ACTIVATION_REFUSED"], "codes issued before are void"


async def test_a_wrong_password_closes_nothing_and_guesses_are_counted(house: House) -> None:
    _, token = await house.member(accepts_terms=False)
    told = [await house.problems(CLOSE, token, password="Mauvais-Mot-1") for _ in range(6)]
    assert told == [["PASSWORD_WRONG"]] * 4 + [["THROTTLED"]] * 2
    assert await house.problems(CLOSE, token, password=PASSWORD) == ["THROTTLED"]
    assert (await house.ask("{ viewer { account { email } } }", token)).data["viewer"]["account"]
    house.clock.ahead = timedelta(minutes=2)
    assert await house.problems(CLOSE, token, password=PASSWORD) == [], "also before the terms are accepted"


async def test_one_of_several_logins_leaves_alone(house: House) -> None:
    family, token = await house.member()
    email, other = await second_login(house, family)
    await house.do(CLOSE, token, password=PASSWORD)
    assert (await house.ask(WHO, token)).codes == ["UNAUTHENTICATED"]
    assert (await house.ask(WHO, other)).data["viewer"]["family"]["number"] == family.number
    assert "Les autres accès" in " ".join((await house.mail_to(family.email, "fermé")).split())
    await last_message_gone(house, family)
    assert await traces(house, family.email) == {} and (await traces(house, email))["account"] == 1
    closed = "select closed_at from family where id = $1"
    assert await house.connection.fetchval(closed, family.id) is None
    await house.do(CLOSE, other, password=PASSWORD)
    assert await house.connection.fetchval(closed, family.id) is not None


async def test_two_last_logins_that_leave_at_once_close_the_family(house: House) -> None:
    family, token = await house.member()
    _, other = await second_login(house, family)
    await asyncio.gather(*(house.do(CLOSE, each, password=PASSWORD) for each in (token, other)))
    row = await house.connection.fetchrow(
        """select closed_at is not null, (select count(*) from account where family_id = $1 and removed_at is null),
           (select count(*) from address where family_id = $1) from family where id = $1""",
        family.id,
    )
    assert row is not None and tuple(row) == (True, 0, 0)


async def test_an_activation_opens_the_account_again(house: House) -> None:
    family, token = await house.member()
    await house.submitted(token)
    await house.do(CLOSE, token, password=PASSWORD)
    await last_message_gone(house, family)
    issue = "mutation ($number: String!) { issueActivationCode(familyNumber: $number) { problems { code } code } }"
    code = (await house.do(issue, await house.agent(), number=family.number))["code"]
    assert activation_codes.digest(KEYS, family.number, code)
    await house.do(ACTIVATE, number=family.number, code=code, email=family.email, password=PASSWORD)
    await house.do(VERIFY, token=token_in(await house.mail_to(family.email, "verify-email")))
    again = await house.sign_in(family.email)
    await house.do("mutation { acceptTerms(version: 1) { problems { code } } }", again)
    seen = (await house.ask("{ viewer { family { number closedAt } } }", again)).data["viewer"]["family"]
    assert seen == {"number": family.number, "closedAt": None}
    assert await house.connection.fetchval("select count(*) from procedure where family_id = $1", family.id) == 1


async def test_the_last_address_stays_until_its_message_has_gone(city: Database) -> None:
    """The relay is away: the message waits, and the address with it."""
    async with opened(city.dsn) as house:
        family, token = await house.member()
        await house.catcher.stop()
        await house.do(CLOSE, token, password=PASSWORD)
        for _ in range(2):
            house.clock.ahead += timedelta(minutes=6)
            assert await run_due(house, "forget_last_address") == {("forget_last_address", "again"): 1}
        assert set(await traces(house, family.email)) == {"delivery", "lane"}
        await house.connection.execute("update delivery set status = 'FAILED' where family_id = $1", family.id)
        house.clock.ahead += timedelta(minutes=6)
        assert await run_due(house, "forget_last_address") == {("forget_last_address", "done"): 1}
        assert await traces(house, family.email) == {}
