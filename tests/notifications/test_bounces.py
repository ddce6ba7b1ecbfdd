"""E-mails that come back after the relay took them: from the bounce mailbox to the family's next channel."""

import asyncio
import os
import sys
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from db import bounces
from db.clock import utc_now
from db.ids import uuid7
from db.keys import Keys
from db.settings import Settings
from gateway.demo.smtp import Catcher, Caught
from resolvers.bounces import read
from tests.notifications.house import MASTER_KEY, ROOT, Family, House, dispatching, make_settings
from tests.notifications.test_receipts import Time, until_status

MAILBOX = "Retours@Ville.example"
KEYS = Keys.from_text(MASTER_KEY)
TO = "martin@exemple.fr"

REPORT = """\
Return-Path: <>
Delivered-To: {sender}
Date: Mon, 23 Nov 2026 07:00:00 +0100 (CET)
From: MAILER-DAEMON@mx.exemple.fr (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: {sender}
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="A1B2/mx.exemple.fr"

--A1B2/mx.exemple.fr
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

This is the mail system at host mx.exemple.fr. 550 5.1.1 was said.

--A1B2/mx.exemple.fr
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.exemple.fr
Arrival-Date: Mon, 23 Nov 2026 07:00:00 +0100 (CET)

Final-Recipient: rfc822; martin@exemple.fr
Original-Recipient: rfc822;martin@exemple.fr
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 said the mailbox

--A1B2/mx.exemple.fr
Content-Description: Undelivered Message
Content-Type: message/rfc822

From: kiosque@ville.example
To: martin@exemple.fr
Subject: hello

--A1B2/mx.exemple.fr--
"""


def report(sender: str, status: str = "5.1.1", action: str = "failed") -> bytes:
    """Write a report as Postfix does."""
    return REPORT.format(sender=sender, status=status, action=action).replace("\n", "\r\n").encode()


def settings_for(catcher: Catcher, **mail: float) -> Settings:
    """Give settings whose e-mails come back to a mailbox."""
    made = make_settings(catcher.port)
    return msgspec.structs.replace(made, mail=msgspec.structs.replace(made.mail, bounces=MAILBOX, **mail))


async def piped(house: House, raw: bytes = b"", *arguments: str, dsn: str | None = None) -> tuple[int, str]:
    """Run the command as a relay's pipe does; gives its status and what it said."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KIOSQUE_")}
    environment |= {"KIOSQUE_MAIL__BOUNCES": MAILBOX, "KIOSQUE_SECRETS__MASTER_KEY": MASTER_KEY}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", "bounces", *arguments, "--database", dsn or house.dsn,
        cwd=ROOT, env=environment, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    said, _ = await process.communicate(raw)
    assert process.returncode is not None
    return process.returncode, said.decode()


async def sent(house: House, catcher: Catcher) -> tuple[Family, Caught]:
    """Tell a family, whose relay takes the e-mail."""
    family = await house.make_family(TO)
    await house.tell(family)
    await catcher.wait_for(lambda: bool(catcher.to(TO)))
    await until_status(house, family, "SENT")
    return family, catcher.to(TO)[-1]


async def test_a_hard_bounce_retires_the_address_and_the_next_channel_tells(house: House, catcher: Catcher) -> None:
    async with dispatching(house, settings_for(catcher)):
        family, caught = await sent(house, catcher)
        assert caught.sender.startswith("Retours+") and caught.message["From"].endswith("<kiosque@ville.example>")
        assert await piped(house, report(caught.sender)) == (0, "1 bounce taken.\n")
        rows = await until_status(house, family, "FAILED", "DELIVERED")
        assert [(row["channel"], row["problem"]) for row in rows] == [("EMAIL", "BOUNCED 5.1.1"), ("IN_APP", None)]
        # What is told later goes there at once.
        await house.tell(family)
        await until_status(house, family, "FAILED", "DELIVERED", "DELIVERED")
        assert (await piped(house, report(caught.sender)))[0] == 0
    [address] = await house.pool.fetch("select * from address")
    assert address["retired_at"] is not None and address["retired_reason"] == "BOUNCED 5.1.1"
    assert address["dead_untold"] and catcher.count == 1


@pytest.mark.parametrize("status", ["4.4.7", "5.2.2"])
async def test_a_soft_bounce_is_sent_again_later_under_the_same_id(house: House, catcher: Catcher, status: str) -> None:
    clock = Time()
    async with dispatching(house, settings_for(catcher), clock=clock):
        family, caught = await sent(house, catcher)
        assert (await piped(house, report(caught.sender, status)))[0] == 0
        [row] = await until_status(house, family, "PENDING")
        assert row["problem"] == f"BOUNCED {status}" and row["next_try_at"] - utc_now() > timedelta(hours=3.9)
        clock.ahead = timedelta(hours=4, minutes=1)
        await catcher.wait_for(lambda: len(catcher.to(TO)) == 2)
        await until_status(house, family, "SENT")
    assert len({each.message["Message-ID"] for each in catcher.to(TO)}) == 1
    assert await house.pool.fetchval("select retired_at is null from address")


async def test_what_bounces_for_days_goes_to_the_next_channel(house: House, catcher: Catcher) -> None:
    clock = Time()
    async with dispatching(house, settings_for(catcher), clock=clock):
        family, caught = await sent(house, catcher)
        assert (await piped(house, report(caught.sender, "4.2.2")))[0] == 0
        await until_status(house, family, "PENDING")
        await house.pool.execute("update delivery set created_at = created_at - interval '73 hours'")
    async with dispatching(house, settings_for(catcher)) as dispatcher:
        await dispatcher._give_up()
        await until_status(house, family, "FAILED", "DELIVERED")


async def test_a_refusal_of_one_message_retires_nobody(house: House, catcher: Catcher) -> None:
    async with dispatching(house, settings_for(catcher)):
        family, caught = await sent(house, catcher)
        assert (await piped(house, report(caught.sender, "5.7.1")))[0] == 0
        await until_status(house, family, "FAILED", "DELIVERED")
    assert await house.pool.fetchval("select retired_at is null and not dead_untold from address")


async def test_a_maildir_is_emptied_of_bounces_and_keeps_the_rest(
    house: House, catcher: Catcher, tmp_path: Path
) -> None:
    for name in ("tmp", "new", "cur"):
        (tmp_path / name).mkdir()
    async with dispatching(house, settings_for(catcher)):
        family, caught = await sent(house, catcher)
        (tmp_path / "new" / "1").write_bytes(report(caught.sender))
        (tmp_path / "new" / "2").write_bytes(b"From: a@b.fr\r\nTo: retours@ville.example\r\n\r\nBonjour\r\n")
        said = await piped(house, b"", str(tmp_path))
        assert said == (0, "1 bounces taken, 1 other messages left.\n")
        await until_status(house, family, "FAILED", "DELIVERED")
    assert [len(list((tmp_path / name).iterdir())) for name in ("new", "cur")] == [0, 1]
    assert await piped(house, b"", str(tmp_path)) == (0, "0 bounces taken, 0 other messages left.\n")


async def test_while_the_database_is_away_the_relay_is_to_come_again(house: House, tmp_path: Path) -> None:
    for name in ("tmp", "new", "cur"):
        (tmp_path / name).mkdir()
    raw = report(bounces.sender_of(MAILBOX, KEYS, uuid7()))
    (tmp_path / "new" / "1").write_bytes(raw)
    nowhere = "postgresql://127.0.0.1:9/none"
    assert (await piped(house, raw, dsn=nowhere))[0] == 75
    assert (await piped(house, b"", str(tmp_path), dsn=nowhere))[0] == 75
    assert (tmp_path / "new" / "1").exists()


async def test_a_maildir_that_cannot_be_read_is_no_database_that_is_away(house: House, tmp_path: Path) -> None:
    for name in ("tmp", "new"):
        (tmp_path / name).mkdir()
    (tmp_path / "new" / "1").write_bytes(b"From: a@b.fr\r\nTo: retours@ville.example\r\n\r\nBonjour\r\n")
    assert (await piped(house, b"", str(tmp_path)))[0] == 1, "nobody who comes again will mend it"
    assert (tmp_path / "new" / "1").exists()


def changed(address: str, place: int) -> str:
    """Change one character of the token."""
    return address[:place] + ("a" if address[place] != "a" else "b") + address[place + 1 :]


SENDER = bounces.sender_of(MAILBOX, KEYS, UUID("01a20539-7223-70eb-a155-60f7d6ee8322"))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00\xff\xfe",
        report("retours@ville.example"),
        report(changed(SENDER, 9)),
        report(changed(SENDER, 40)),
        report(SENDER.replace("Ville", "autre")),
        report(bounces.sender_of(MAILBOX, Keys(b"x" * 32), uuid7())),
        report(SENDER, action="delayed"),
        report(SENDER, action="delivered", status="2.0.0"),
        report(SENDER, status="no status"),
        f"To: {SENDER}\r\nSubject: Absent\r\n\r\nJe suis en vacances.\r\n".encode(),
        report(SENDER).replace(b"message/delivery-status", b"text/plain"),
        report(SENDER)[:700],
    ],
)
async def test_what_is_no_bounce_of_ours_or_not_final_changes_nothing(raw: bytes) -> None:
    assert read(raw, MAILBOX, KEYS) is None


@pytest.mark.parametrize("spelling", [str, str.lower, str.upper])
def test_a_bounce_is_known_in_any_capitals_and_fits_into_an_address(spelling: type[str]) -> None:
    found = read(report(spelling(SENDER)), MAILBOX, KEYS)
    assert found is not None and found.retires and found.state == "FAILED"
    assert found.delivery_id == UUID("01a20539-7223-70eb-a155-60f7d6ee8322")
    assert len(SENDER.partition("@")[0]) <= 64


@pytest.mark.parametrize(
    ("status", "state", "retires"),
    [
        ("5.1.1", "FAILED", True),
        ("5.1.10", "FAILED", True),
        ("5.2.1", "FAILED", True),
        ("5.4.4", "FAILED", True),
        ("5.1.8", "FAILED", False),
        ("5.7.26", "FAILED", False),
        ("5.3.4", "FAILED", False),
        ("5.2.2", "RETRY", False),
        ("4.4.7", "RETRY", False),
    ],
)
def test_only_a_mailbox_that_is_gone_is_retired(status: str, state: str, retires: bool) -> None:
    found = read(report(SENDER, status), MAILBOX, KEYS)
    assert found is not None and (found.state, found.retires, found.problem) == (state, retires, f"BOUNCED {status}")
