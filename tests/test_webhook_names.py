"""Partners' names whose servers hang, as the system's look-up sees them: nobody else waits for them."""

import socket
from threading import Event
from typing import Any

import pytest

from tests.conftest import Database
from tests.house import opened
from tests.receiver import receiving
from tests.test_partner_feed import numbered
from tests.test_partners import partner
from tests.test_webhooks import LOCAL, TEST, journal, registered

NAMES = 70
"""More than twice what is looked up at once."""

RELAY, QUICK, NOBODY = "relais.example", "vite.example", "personne.invalid"


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Event:
    """Let look-ups of slow names hang until the gate is opened."""
    opens, ask = Event(), socket.getaddrinfo

    def look_up(host: Any, *others: Any, **named: Any) -> Any:
        if str(host).endswith(".lent.example"):
            opens.wait(60)
        if host == NOBODY:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return ask("127.0.0.1" if host in (RELAY, QUICK) else host, *others, **named)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return opens


async def test_names_that_hang_hold_up_neither_another_partner_nor_the_mail(city: Database, gate: Event) -> None:
    webhooks = {**LOCAL, "timeout": 4.0, "retry_seconds": [0.05] * 200, "each_partner": NAMES + 1}
    async with opened(city.dsn, webhooks=webhooks, mail={"host": RELAY}) as house, receiving() as quick:
        await numbered(house)
        access = await partner(house)
        for n in range(NAMES):
            webhook, _ = await registered(house, access, f"http://w{n}.lent.example/")
            await house.do(TEST, access, id=webhook)
        try:
            webhook, _ = await registered(house, access, f"http://{QUICK}:{quick.port}/")
            await house.do(TEST, access, id=webhook)
            await quick.until(1, seconds=8)
            family, token = await house.member()
            await house.submitted(token)
            await house.mail_to(family.email, "PES-", seconds=8)
        finally:
            gate.set()


async def test_the_journal_says_that_a_name_was_not_looked_up(city: Database, gate: Event) -> None:
    webhooks = {**LOCAL, "timeout": 2.0, "retry_seconds": [0.05]}
    async with opened(city.dsn, webhooks=webhooks) as house:
        await numbered(house)
        access = await partner(house)
        for url, problem in (
            ("http://w.lent.example/", "its name was not looked up in time"),
            (f"http://{NOBODY}/", "its name was not found"),
        ):
            webhook, _ = await registered(house, access, url)
            await house.do(TEST, access, id=webhook)
            await house.mail_to("api@observatoire.example", problem)
            [failed] = await journal(house, access)
            assert {edge["node"]["problem"] for edge in failed["tries"]["edges"]} == {problem}
        gate.set()
