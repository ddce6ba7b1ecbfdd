"""Every way in which a relay can fail: nothing is lost, and at most one message comes twice, under the same id."""

import asyncio
from collections import Counter
from typing import cast

import pytest

from notifications.channels import Channels, Delivery, Receipt
from notifications.channels.email import Email
from tests.notifications.crooked import DROP, GARBAGE, HANG, Crooked
from tests.notifications.house import House, dispatching, make_settings
from tests.notifications.test_receipts import until_status

UNKNOWN = [("dot", HANG), ("dot", DROP), ("dot", GARBAGE)]
"""Here nobody knows whether the message was taken."""

TEMPORARY = [
    ("greeting", "421 4.3.2 shutting down"),
    ("greeting", HANG),
    ("EHLO", "421 4.3.2 shutting down"),
    ("EHLO", DROP),
    ("MAIL", "451 4.3.0 later"),
    ("MAIL", "550 5.7.1 not you"),
    ("RCPT", "450 4.2.1 greylisted"),
    ("RCPT", "421 4.3.2 shutting down"),
    ("RCPT", HANG),
    ("DATA", "451 4.3.0 later"),
    ("DATA", DROP),
    ("DATA", "554 5.5.1 no"),
    ("text", DROP),
    ("dot", "451 4.3.0 later"),
    ("dot", "554 5.7.1 looks like spam"),
    *UNKNOWN,
]
PERMANENT = [("RCPT", "550 5.1.1 no such user"), ("RCPT", "552 5.2.2 full"), ("dot", "550 5.1.1 no such user")]


async def told(house: House, relay: Crooked) -> list[tuple[str, str, int]]:
    """Tell a family two things over the relay; give channel, status and attempts of each delivery."""
    await relay.start()
    family = await house.make_family("martin@exemple.fr")
    await house.tell(family)
    await house.tell(family)
    async with dispatching(house, make_settings(relay.port, timeout=1.2 if relay.fault == HANG else 5.0)):
        await house.quiet()
    await relay.stop()
    rows = await house.deliveries(family)
    for row in rows:
        assert "@" not in (row["problem"] or "") + (row["receipt"] or "")
    sent = [f"<{row['id']}@ville.example>" for row in rows if row["channel"] == "EMAIL" and row["status"] == "SENT"]
    assert [each for at, each in enumerate(relay.took) if each not in relay.took[:at]] == sent
    return [(row["channel"], row["status"], row["attempts"]) for row in rows]


@pytest.mark.parametrize(("step", "fault"), TEMPORARY)
async def test_after_a_fault_of_the_relay_each_message_arrives_in_order(house: House, step: str, fault: str) -> None:
    relay = Crooked(step, fault)
    assert await told(house, relay) == [("EMAIL", "SENT", 2), ("EMAIL", "SENT", 1)]
    assert relay.left == 0
    assert len(relay.took) - len(set(relay.took)) == ((step, fault) in UNKNOWN)


@pytest.mark.parametrize(("step", "fault"), PERMANENT)
async def test_after_a_refusal_for_good_the_inbox_tells(house: House, step: str, fault: str) -> None:
    relay = Crooked(step, fault, left=2)
    assert sorted(await told(house, relay)) == [
        ("EMAIL", "FAILED", 0 if "5.1.1" in fault else 1),
        ("EMAIL", "FAILED", 1),
        ("IN_APP", "DELIVERED", 1),
        ("IN_APP", "DELIVERED", 1),
    ]
    assert relay.took == []


async def test_where_nobody_listens_the_message_waits(house: House) -> None:
    relay = Crooked("none", DROP)
    await relay.start()
    await relay.stop()
    family = await house.make_family("martin@exemple.fr")
    await house.tell(family)
    async with dispatching(house, make_settings(relay.port)):
        await house.until(lambda: house.pool.fetchval("select attempts > 0 from delivery"))
        await relay.start()
        await house.quiet()
        await relay.stop()
    [row] = await house.deliveries(family)
    assert (row["status"], relay.took) == ("SENT", [f"<{row['id']}@ville.example>"])


class Counted:
    """A channel that counts what is under way to each domain; `lent.example` answers when it is let."""

    limit, group_limit, patience, interrupts = 4, 2, 5.0, False

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.inside: Counter[str] = Counter()
        self.most: Counter[str] = Counter()

    def group(self, address: str) -> str:
        """Give the domain, as e-mail does."""
        return Email.group(cast(Email, self), address)

    async def send(self, delivery: Delivery) -> Receipt:
        """Take a message."""
        domain = self.group(delivery.address)
        self.inside[domain] += 1
        self.most[domain] = max(self.most[domain], self.inside[domain])
        if domain == "lent.example":
            await self.gate.wait()
        self.inside[domain] -= 1
        return Receipt("taken")

    async def close(self) -> None:
        """Nothing is open."""


async def test_one_slow_domain_holds_up_nobody_else(house: House) -> None:
    channel = Counted()
    slow = [await house.make_family(f"f{n}@Lent.example") for n in range(6)]
    quick = [await house.make_family(f"f{n}@vif.example") for n in range(3)]
    for family in (*slow, *quick):
        await house.tell(family)
    async with dispatching(house, make_settings(9), Channels({"EMAIL": channel})):
        for family in quick:
            await until_status(house, family, "SENT")
        assert channel.inside == {"lent.example": 2, "vif.example": 0}
        channel.gate.set()
        await house.quiet()
    assert channel.most["lent.example"] == 2
