"""Nothing personal gets into the logs of the dispatcher, whatever its providers do."""

import re

import pytest

from gateway.demo.peer import Kind
from gateway.demo.smtp import Catcher
from tests.notifications.house import House
from tests.notifications.peers import APP, peered
from tests.notifications.test_crashes import program

KINDS: tuple[Kind, ...] = ("drop", "garbage")


@pytest.mark.parametrize("name", ["ovh", "smpp", "web_push", "mobile_push"])
async def test_no_number_no_token_and_no_endpoint_is_logged(
    house: House, catcher: Catcher, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    async with peered(name) as way:
        family = await way.family(house)
        variables = {**way.variables, "KIOSQUE_QUIET__STARTS": "00:00", "KIOSQUE_QUIET__ENDS": "00:00"}
        async with program(house, catcher, **variables, KIOSQUE_OUTBOX__LEASE="4") as process:
            for kind in KINDS:
                way.treat(kind)
                await house.tell(family)
                await house.quiet()
            way.temporarily(2)
            await house.tell(family)
            await house.quiet()
            await house.tell(family, type="nobody_wrote_words_for_this")
            await house.until(lambda: house.pool.fetchval("select bool_or(crashes > 0) from delivery"))
            way.permanently()
            await house.tell(family)
            process.terminate()
            await process.wait()
    said = capfd.readouterr()
    text = said.out + said.err
    assert "delivery_crashed" in text
    assert not re.search(rf"\b{family.number}\b", text), "ids and fractions of seconds may hold its digits"
    secrets = [way.address, way.to, APP, "Martin", *map(str, (way.target or {}).values())]
    assert not [secret for secret in secrets if secret in text]
