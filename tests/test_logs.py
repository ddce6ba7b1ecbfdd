"""What a portal writes about its work holds nothing of what people sent."""

import asyncio
from pathlib import Path

from tests.conftest import Database
from tests.house import SIGN_IN
from tests.program import Portal, apart

CANARY = "Canari-jaune-7351"
LITERAL = f'mutation {{ signIn(identifier: "{CANARY}@example.org", password: "{CANARY}") {{ problems {{ code }} }} }}'


async def send_everywhere(portal: Portal) -> None:
    """Send the canary in a literal, a variable, a header, an address, a faulty body and a faulty frame."""
    house = portal.house
    assert (await house.ask(LITERAL)).data["signIn"]["problems"]
    assert await house.problems(SIGN_IN, identifier=CANARY, password=CANARY, as_="FAMILY") == ["BAD_CREDENTIALS"]
    assert (await house.ask("{ viewer { id } }", CANARY)).codes == ["UNAUTHENTICATED"]
    assert (await house.ask(f"{{ {CANARY.replace('-', '_')} }}")).codes == ["GRAPHQL_VALIDATION_FAILED"]
    await house.http.get(f"{house.url}/{CANARY}", params={"token": CANARY})
    await house.http.post(f"{house.url}/graphql", data=f'{{"query": "{CANARY}', headers={"X-Canary": CANARY})
    await house.http.post(f"{house.url}/graphql", json={"query": 7, "variables": CANARY})
    async with house.http.ws_connect(f"{house.url}/graphql", protocols=["graphql-transport-ws"]) as socket:
        await socket.send_str(f'{{"type": "{CANARY}"')
        await socket.receive(timeout=5)


async def test_a_password_leaves_no_trace_in_logs_metrics_or_answers(city: Database, tmp_path: Path) -> None:
    async with apart(city.dsn, tmp_path) as portal:
        await send_everywhere(portal)
        metrics = await (await portal.house.http.get(f"{portal.house.url}/metrics")).text()
        await asyncio.sleep(0.2)
        assert "kiosque_operations" in metrics
        for written in (metrics, portal.gateway.said(), portal.dispatcher.said()):
            assert CANARY not in written and CANARY.replace("-", "_") not in written


async def test_a_fault_of_ours_is_masked_for_the_client_and_logged_by_kind_and_place_only(
    city: Database, tmp_path: Path
) -> None:
    async with apart(city.dsn, tmp_path) as portal:
        await portal.house.connection.execute("alter table throttle rename to elsewhere")
        reply = await portal.house.ask(SIGN_IN, identifier=f"{CANARY}@example.org", password=CANARY, as_="FAMILY")
        assert reply.codes == ["INTERNAL"]
        error = reply.body["errors"][0]
        assert "throttle" not in str(error) and "relation" not in str(error)
        said = portal.gateway.said()
        assert error["extensions"]["id"] in said and "UndefinedTableError" in said and CANARY not in said
