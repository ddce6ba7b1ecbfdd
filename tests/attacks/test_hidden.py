"""What is hidden from those whose rows it stands among: what has ended, and what is not published."""

from typing import Any

import msgspec

import schema
from db.ids import uuid7
from resolvers.context import Context
from resolvers.reading.identity import make_id
from resolvers.viewer import Kind, Viewer
from tests.attacks.test_revocation import command
from tests.house import House

LISTED = "{ viewer { family { accounts { edges { node { id } } } sessions { edges { node { id } } } } } }"
NODES = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"


async def listed(house: House, token: str) -> set[str]:
    """Give the ids of the logins and sessions that a family is shown."""
    family = (await house.ask(LISTED, token)).data["viewer"]["family"]
    return {edge["node"]["id"] for kind in family.values() for edge in kind["edges"]}


async def test_what_has_ended_is_listed_no_more(house: House) -> None:
    """Sessions that ended, of families and agents, and logins that were removed: neither in lists nor by their ids."""
    family, token = await house.member()
    agent, other = await house.agent(), await house.agent()
    old, removed = await house.sign_in(family.email), uuid7()
    await house.connection.execute(
        """insert into account (family_id, id, email, password_hash, created_at)
           values ($1, $2, 'ancien@example.org', 'x', now())""",
        family.id,
        removed,
    )
    before = await listed(house, token)
    newest = "select id from session where agent_id is not null order by id desc limit 1"
    identity = make_id(schema.build().mapping, "Session", await house.connection.fetchval(newest))
    assert len(before) == 4 and (await house.ask(NODES, agent, ids=[identity])).data["nodes"] == [{"id": identity}]
    for ended_one in (old, other):
        await house.do(command("signOut"), ended_one)
    await house.connection.execute("update account set removed_at = now() where id = $1", removed)
    after = await listed(house, token)
    assert len(after) == 2
    assert (await house.ask(NODES, token, ids=sorted(before - after))).data["nodes"] == [None, None]
    assert (await house.ask(NODES, agent, ids=[identity])).data["nodes"] == [None]


async def as_partner(house: House, query: str, **variables: Any) -> Any:
    """Ask as a partner, who has no way to sign in yet; give the data."""
    assert house.opened is not None
    endpoint = house.opened.endpoint
    operation = endpoint.documents.prepare(query).operation(None)
    context = Context(house.opened.process, Viewer(Kind.PARTNER), "test")
    return msgspec.json.decode((await endpoint.executor.execute(operation, variables, context)).body)["data"]


async def test_versions_of_pages_are_shown_to_editors_only(house: House) -> None:
    """Drafts and past versions among them; readers have the page itself."""
    versions = await house.connection.fetch("select id from page_version limit 3")
    ids = [make_id(schema.build().mapping, "PageVersion", row["id"]) for row in versions]
    _, family = await house.member()
    for token in (None, family, await house.agent()):
        assert (await house.ask(NODES, token, ids=ids)).data["nodes"] == [None] * len(ids)
    assert await as_partner(house, NODES, ids=ids) == {"nodes": [None] * len(ids)}
    shown = (await house.ask(NODES, await house.agent("admin"), ids=ids)).data["nodes"]
    assert ids and shown == [{"id": identity} for identity in ids]
