"""When e-mails to a family come back, its other ways tell it, and the staff asks for a new address."""

from datetime import timedelta

from tests.clockwork import run_due
from tests.house import House

TASKS = """{ agentTasks(kinds: [EMAIL_UNREACHABLE], first: 5) { edges { node {
    id kind doneAt family { number } } } } }"""
FINISH = "mutation ($task: ID!) { finishAgentTask(task: $task) { problems { code } task { doneAt } } }"
SEEN = """{ viewer { family { addresses { edges { node { value retiredReason } } }
    inbox(first: 5) { edges { node { type summary deliveries { edges { node { channel } } } } } } } } }"""
AGAIN = """mutation ($address: ID!) { useAddressAgain(address: $address) {
    problems { code } address { value retiredAt } } }"""
DIE = """update address set retired_at = now(), retired_reason = 'BOUNCED 5.1.1', dead_untold = true
    where family_id = $1 and channel = 'EMAIL'"""


async def test_a_dead_address_is_a_task_for_the_staff_and_told_once(house: House) -> None:
    family, token = await house.member()
    await house.connection.execute(DIE, family.id)
    await run_due(house, "tell_unreachable")
    house.clock.ahead = timedelta(minutes=11)
    await run_due(house, "tell_unreachable")
    house.clock.ahead = timedelta()

    seen = (await house.ask(SEEN, token)).data["viewer"]["family"]
    assert [each["node"]["retiredReason"] for each in seen["addresses"]["edges"]] == ["BOUNCED 5.1.1"]
    [item] = [each["node"] for each in seen["inbox"]["edges"]]
    assert family.email in item["summary"] and "reviennent" in item["summary"]
    assert [each["node"]["channel"] for each in item["deliveries"]["edges"]] == ["IN_APP"]

    agent = await house.agent()
    tasks = [each["node"] for each in (await house.ask(TASKS, agent)).data["agentTasks"]["edges"]]
    [task] = [each for each in tasks if each["family"]["number"] == family.number]
    assert (await house.do(FINISH, agent, task=task["id"]))["task"]["doneAt"]
    acts = "select count(*) from audit_entry where act = 'address_unreachable' and family_id = $1"
    assert await house.connection.fetchval(acts, family.id) == 1


async def address_of(house: House, token: str) -> str:
    """Give the id of a family's e-mail address."""
    seen = await house.ask("{ viewer { family { addresses { edges { node { id } } } } } }", token)
    [node] = [each["node"] for each in seen.data["viewer"]["family"]["addresses"]["edges"]]
    return str(node["id"])


async def test_a_mailbox_that_works_again_is_written_to_again(house: House) -> None:
    family, token = await house.member()
    await house.connection.execute(DIE, family.id)
    address = await address_of(house, token)
    for _ in range(2):
        payload = await house.do(AGAIN, token, address=address)
        assert payload["address"] == {"value": family.email, "retiredAt": None}
    assert family.email in await house.mail_to(family.email, "prévenus par ce moyen")
    acts = "select count(*) from audit_entry where act = 'address_used_again' and family_id = $1"
    assert await house.connection.fetchval(acts, family.id) == 1


async def test_an_address_of_no_login_or_of_others_is_not_used_again(house: House) -> None:
    family, token = await house.member()
    other, stranger = await house.member()
    for each in (family, other):
        await house.connection.execute(DIE, each.id)
    assert await house.problems(AGAIN, stranger, address=await address_of(house, token)) == ["NOT_FOUND"]
    await house.connection.execute(
        "update address set value = 'ancienne@example.org', retired_reason = 'REPLACED' where family_id = $1", family.id
    )
    assert await house.problems(AGAIN, token, address=await address_of(house, token)) == ["NOT_FOUND"]
    count = "select count(*) from address where retired_at is not null and family_id = any ($1)"
    assert await house.connection.fetchval(count, [family.id, other.id]) == 2


async def test_an_address_that_works_again_alarms_nobody(house: House) -> None:
    family, token = await house.member()
    await house.connection.execute(DIE, family.id)
    await house.connection.execute("update address set retired_at = null where family_id = $1", family.id)
    await run_due(house, "tell_unreachable")
    assert (await house.ask(SEEN, token)).data["viewer"]["family"]["inbox"]["edges"] == []
    count = "select count(*) from agent_task where family_id = $1"
    assert await house.connection.fetchval(count, family.id) == 0
