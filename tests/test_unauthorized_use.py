"""Unauthorised use, reported (R20): the login is closed at once, all concerned are told, its owner gets it back."""

import asyncio
from datetime import timedelta
from typing import Any

from tests.house import KEYS, PASSWORD, SIGN_IN, House, Made, token_in
from tests.live import Socket
from tests.test_accounts import ACTIVATE
from tests.test_recovery import NEW, REQUEST, RESET

REPORT = "mutation ($token: String) { reportUnauthorizedUse(token: $token) { problems { code } } }"
CHANGE = (
    """mutation ($new: String!) { changePassword(currentPassword: "%s", newPassword: $new) { problems { code } } }"""
)
TASKS = """query ($done: Boolean) { agentTasks(done: $done) { edges { node {
    id kind family { number } createdAt doneAt doneBy } } } }"""
FINISH = "mutation ($task: ID!) { finishAgentTask(task: $task) { problems { code } task { doneAt doneBy } } }"
ISSUE = "mutation ($number: String!) { issueActivationCode(familyNumber: $number) { problems { code } code } }"


async def signs_in(house: House, family: Made, password: str = PASSWORD) -> list[str]:
    return await house.problems(SIGN_IN, identifier=family.email, password=password, as_="FAMILY")


async def tasks(house: House, agent: str, **given: Any) -> list[Any]:
    return [edge["node"] for edge in (await house.ask(TASKS, agent, **given)).data["agentTasks"]["edges"]]


async def test_a_report_ends_every_session_and_locks_the_login(house: House) -> None:
    family, token = await house.member()
    stolen = await house.sign_in(family.email)
    async with Socket(house, stolen) as socket:
        await socket.subscribe("1", "subscription { news { cursor } }")
        await house.do(REPORT, token)
        async with asyncio.timeout(2):
            assert await socket.closed() == 4403
    for each in (token, stolen):
        assert (await house.ask("{ viewer { id } }", each)).codes == ["UNAUTHENTICATED"]
    assert await signs_in(house, family) == ["ACCOUNT_LOCKED"]
    assert await signs_in(house, family, "Mauvais-Mot-1") == ["BAD_CREDENTIALS"], (
        "only its owner learns that it is locked"
    )
    refused = "select data->>'code' from audit_entry where act = 'sign_in_refused' and family_id = $1 order by number"
    written = [row[0] for row in await house.connection.fetch(refused, family.id)]
    assert written == ["ACCOUNT_LOCKED", "BAD_CREDENTIALS"]
    await house.mail_to(family.email, "utilisation non autorisée")


async def test_the_staff_is_told_once_and_finishes_the_task(house: House) -> None:
    family, token = await house.member()
    await house.do(REPORT, token)
    agent = await house.agent()
    [task] = await tasks(house, agent)
    assert (task["kind"], task["family"]["number"], task["doneAt"]) == ("UNAUTHORIZED_USE", family.number, None)
    done = (await house.do(FINISH, agent, task=task["id"]))["task"]
    assert done["doneAt"] and done["doneBy"]
    assert await house.do(FINISH, await house.agent("etat.civil"), task=task["id"]) == {"problems": [], "task": done}
    assert await tasks(house, agent, done=False) == []
    said = "select count(*) from audit_entry where act in ('unauthorized_use_reported', 'task_finished')"
    assert await house.connection.fetchval(said) == 2


async def test_families_and_strangers_see_no_task_and_finish_none(house: House) -> None:
    _, token = await house.member()
    await house.do(REPORT, token)
    [task] = await tasks(house, await house.agent())
    _, other = await house.member()
    for each, code in ((None, "UNAUTHENTICATED"), (other, "FORBIDDEN")):
        assert (await house.ask(TASKS, each)).codes == [code]
        assert (await house.ask(FINISH, each, task=task["id"])).codes == [code]
        found = await house.ask("query ($id: ID!) { node(id: $id) { id } }", each, id=task["id"])
        assert found.data["node"] is None
    assert await house.connection.fetchval("select count(*) from agent_task where done_at is null") == 1


async def test_an_agent_without_the_role_of_a_task_does_not_find_it(house: House) -> None:
    _, token = await house.member()
    await house.do(REPORT, token)
    [task] = await tasks(house, await house.agent())
    await house.connection.execute("update agent set roles = '{CASHIER}' where email like 'etat.civil%'")
    cashier = await house.agent("etat.civil")
    assert await tasks(house, cashier) == []
    assert await house.problems(FINISH, cashier, task=task["id"]) == ["NOT_FOUND"]
    assert await house.connection.fetchval("select count(*) from agent_task where done_at is null") == 1


async def alert(house: House) -> tuple[Made, str]:
    """Let somebody who knows the password change it; give the family and the token of the alert's link."""
    family, thief = await house.member()
    await house.do(CHANGE % PASSWORD, thief, new=NEW)
    return family, token_in(await house.mail_to(family.email, "mot de passe a été changé"))


async def test_the_link_of_an_alert_reports_without_signing_in_and_the_owner_recovers(house: House) -> None:
    family, token = await alert(house)
    await house.do(REQUEST, identifier=family.email)
    asked_before = token_in(await house.mail_to(family.email, "reset-password"))
    await house.do(REPORT, token=token)
    assert await signs_in(house, family, NEW) == ["ACCOUNT_LOCKED"]
    assert await house.problems(RESET, token=asked_before, password="Lampe-Cheval-7") == ["LINK_NOT_VALID"]
    seen = len(house.catcher.to(family.email))
    await house.do(REQUEST, identifier=family.email)
    await house.catcher.wait_for(
        lambda: "reset-password" in "".join(c.part("plain") for c in house.catcher.to(family.email)[seen:])
    )
    [fresh] = [c.part("plain") for c in house.catcher.to(family.email)[seen:] if "reset-password" in c.part("plain")]
    await house.do(RESET, token=token_in(fresh), password="Lampe-Cheval-7")
    assert await signs_in(house, family, "Lampe-Cheval-7") == []
    assert await house.problems(REPORT, token=token) == ["LINK_NOT_VALID"], "an alert from before locks it no more"
    assert await signs_in(house, family, "Lampe-Cheval-7") == []


async def test_a_new_code_of_the_town_hall_unlocks_the_login(house: House) -> None:
    family, token = await house.member()
    await house.do(REPORT, token)
    issued = await house.do(ISSUE, await house.agent(), number=family.number)
    given = {"number": family.number, "code": issued["code"], "email": family.email, "password": NEW}
    await house.do(ACTIVATE, **given)
    assert await signs_in(house, family, PASSWORD) == ["BAD_CREDENTIALS"]
    assert await signs_in(house, family, NEW) == []
    assert await house.connection.fetchval("select count(*) from account where family_id = $1", family.id) == 1


async def test_an_alerts_link_is_good_for_seven_days_its_login_and_nothing_else(house: House) -> None:
    family, token = await alert(house)
    account = await house.connection.fetchval("select id from account where family_id = $1", family.id)
    other, _ = await house.member()
    now = house.clock()
    named = {"family": str(family.id), "account": str(account), "at": now.isoformat()}
    later = now + timedelta(hours=1)
    for forged in (
        token[:-4] + "AAAA",
        KEYS.link_token("verify-email", named, later),
        KEYS.link_token("report-unauthorized-use", named | {"family": str(other.id)}, later),
        KEYS.link_token("report-unauthorized-use", named | {"at": "hier"}, later),
        "",
    ):
        assert await house.problems(REPORT, token=forged) == ["LINK_NOT_VALID"]
    house.clock.ahead = timedelta(days=7, minutes=1)
    assert await house.problems(REPORT, token=token) == ["LINK_NOT_VALID"]
    locked = "select count(*) from account where locked_at is not null"
    assert await house.connection.fetchval(locked) == 0


async def test_without_a_link_strangers_and_agents_report_nothing(house: House) -> None:
    assert await house.problems(REPORT) == ["UNAUTHENTICATED"]
    assert await house.problems(REPORT, await house.agent()) == ["FORBIDDEN"]


async def test_a_report_cancels_a_change_of_address_that_the_thief_began(house: House) -> None:
    family, thief = await house.member()
    change = """mutation ($password: String!) {
        changeEmail(email: "voleur@example.org", password: $password) { problems { code } } }"""
    await house.do(change, thief, password=PASSWORD)
    by_new = token_in(await house.mail_to("voleur@example.org", "email-change"))
    await house.do(REPORT, await house.sign_in(family.email))
    confirm = "mutation ($token: String!) { confirmEmailChange(token: $token) { problems { code } } }"
    assert await house.problems(confirm, token=by_new) == ["LINK_NOT_VALID"]


async def test_a_lock_at_the_moment_of_a_sign_in_leaves_no_session(house: House) -> None:
    family, token = await house.member()
    given = {"identifier": family.number, "password": PASSWORD, "as_": "FAMILY"}
    await asyncio.gather(*(house.problems(SIGN_IN, **given) for _ in range(3)), house.do(REPORT, token))
    live = "select count(*) from session where family_id = $1 and ended_at is null"
    assert await house.connection.fetchval(live, family.id) == 0
