"""Bounces that a relay reports by web hook: taken with the secret and a delivery of ours, else without effect."""

import asyncio
import hmac
import io
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from db.ids import uuid7
from db.outbox import Told, tell
from tests.conftest import Database
from tests.house import House, Made, opened
from tests.notifications.test_bounces import report

MAILBOX, SECRET = "retours@ville.example", "a-secret-of-the-relay"
BEARER = {"Authorization": f"Bearer {SECRET}"}
STATE = (
    "select array_agg(channel || ' ' || status order by channel) from delivery where family_id = $1 and subject_id = $2"
)


@dataclass(frozen=True, slots=True)
class Sent:
    """An e-mail that the relay took."""

    house: House
    family: Made
    subject: Any
    sender: str

    async def post(self, body: bytes, kind: str = "application/json", **headers: str) -> int:
        """Report something; give the status."""
        url, given = f"{self.house.url}/mail/bounces", {"Content-Type": kind, **headers}
        async with self.house.http.post(url, data=io.BytesIO(body), headers=given) as response:
            return response.status

    async def state(self) -> list[str]:
        """Give channel and status of the deliveries."""
        found: list[str] = await self.house.connection.fetchval(STATE, self.family.id, self.subject)
        return found

    async def until(self, *state: str) -> None:
        """Wait for a state."""
        async with asyncio.timeout(10):
            while await self.state() != list(state):
                await asyncio.sleep(0.05)

    async def kept(self) -> int:
        """Give how many reports were kept for a dispatcher, or have retired an address."""
        found: int = await self.house.connection.fetchval(
            "select (select count(*) from sms_receipt) + (select count(*) from address where retired_at is not null)"
        )
        return found


@pytest.fixture
async def sent(city: Database) -> AsyncIterator[Sent]:
    """A portal whose relay took an e-mail."""
    async with opened(city.dsn, mail={"bounces": MAILBOX, "bounce_secret": SECRET}) as house:
        family, _ = await house.member()
        subject = uuid7()
        async with house.connection.transaction():
            await tell(house.connection, Told(family.id, "CITY_INFORMATION", "test", subject, {}, house.clock()))
        made = Sent(house, family, subject, "")
        await made.until("EMAIL SENT")
        yield Sent(house, family, subject, house.catcher.to(family.email)[-1].sender)


def said(sender: str, status: str = "5.1.1", action: str = "failed") -> bytes:
    """Write a report in JSON."""
    return msgspec.json.encode({"sender": sender, "action": action, "status": status})


def signed(body: bytes, secret: str = SECRET, ago: int = 0) -> dict[str, str]:
    """Sign a body."""
    at = str(int(time.time()) - ago)
    seal = hmac.digest(secret.encode(), at.encode() + b"." + body, "sha256").hex()
    return {"X-Kiosque-Timestamp": at, "X-Kiosque-Signature": f"v1={seal}"}


@pytest.mark.parametrize("form", ["object", "list", "message", "signed"])
async def test_a_report_retires_the_address_and_the_next_channel_tells(sent: Sent, form: str) -> None:
    body = said(sent.sender)
    match form:
        case "object":
            status = await sent.post(body, **BEARER)
        case "list":
            status = await sent.post(b"[" + said("nobody@ville.example") + b"," + body + b"]", **BEARER)
        case "message":
            status = await sent.post(report(sent.sender), "message/rfc822", **BEARER)
        case _:
            status = await sent.post(body, **signed(body))
    assert status == 204
    await sent.until("EMAIL FAILED", "IN_APP DELIVERED")
    assert await sent.house.connection.fetchval(
        "select retired_reason = 'BOUNCED 5.1.1' from address where family_id = $1", sent.family.id
    )


async def test_a_wrong_secret_is_refused_and_changes_nothing(sent: Sent) -> None:
    body = said(sent.sender)
    for headers in (
        {}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {SECRET}"}, {"Authorization": ""},
        signed(body, "another-secret-of-nobody"), signed(body, ago=400), signed(said(sent.sender, "5.1.2")),
        {**signed(body), "Authorization": "Bearer wrong"},
    ):  # fmt: skip
        assert await sent.post(body, **headers) == 401
    assert await sent.kept() == 0 and await sent.state() == ["EMAIL SENT"]


async def test_what_is_no_report_of_ours_changes_nothing(sent: Sent) -> None:
    tampered = sent.sender.replace("+", "+a", 1)
    assert [await sent.post(said(each), **BEARER) for each in (tampered, MAILBOX, "", "x" * 5000)] == [204] * 4
    assert await sent.post(said(sent.sender, action="delayed"), **BEARER) == 204
    for body in (b"", b"{", b"[]]", b'{"sender": 1}', b"[" * 5000, b'"x"', b"[" + b"{}," * 5 + b"{}]"):
        assert await sent.post(body, **BEARER) == 400
    assert await sent.post(b"[" + b",".join([said(sent.sender)] * 101) + b"]", **BEARER) == 400
    assert await sent.post(said(sent.sender), "text/plain", **BEARER) == 400
    assert await sent.post(b"x" * ((1 << 20) + 1), "message/rfc822", **BEARER) == 413
    assert await sent.kept() == 0 and await sent.state() == ["EMAIL SENT"]


async def test_without_a_secret_there_is_no_such_address(house: House) -> None:
    async with house.http.post(f"{house.url}/mail/bounces", json={}, headers=BEARER) as response:
        assert response.status == 404
