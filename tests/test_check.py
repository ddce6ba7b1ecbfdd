"""The command `check`: one line for each thing, and the one that is wrong is named."""

import base64
import io

import msgspec
import pytest
from rich.console import Console

from db.settings import Agents, Secrets, Server, Settings
from gateway.checks import checked
from tests.house import House
from tests.town import Town


async def said(settings: Settings) -> tuple[str, bool]:
    """Give what the command says, and whether it ends well."""
    out = io.StringIO()
    try:
        await checked(settings, Console(file=out, width=200))
    except SystemExit as end:
        assert end.code == 1
        return out.getvalue(), False
    return out.getvalue(), True


async def test_a_portal_that_runs_has_everything(town: Town) -> None:
    text, good = await said(town.house.settings)
    assert good and text.count("ok  ") == len(text.splitlines()) == 7
    assert "up to date" in text and "1, the one that signs" in text and "1 keys" in text
    assert town.provider.issuer in text


async def test_a_provider_that_does_not_answer_is_named(town: Town) -> None:
    await town.provider.stop()
    text, good = await said(town.house.settings)
    assert not good and f"FAIL sign-in provider: {town.provider.issuer} cannot be used" in text


async def test_another_master_key_than_the_databases_is_found(house: House) -> None:
    other = Secrets(master_key=base64.b64encode(b"x" * 32).decode())
    text, good = await said(msgspec.structs.replace(house.settings, secrets=other))
    assert not good and "FAIL signing keys: sealed with another master key" in text


@pytest.mark.parametrize(
    ("second_factor", "line"),
    [("default", "ok   agents: a second factor is required"), ("optional", "look agents: no second factor")],
)
async def test_agents_by_password_alone_are_pointed_at_in_production(
    house: House, second_factor: str, line: str
) -> None:
    agents = msgspec.convert({"second_factor": second_factor}, Agents)
    settings = msgspec.structs.replace(house.settings, server=Server(production=True), agents=agents)
    text, good = await said(settings)
    assert good and line in text
