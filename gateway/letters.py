"""The command `letters`: what waits for the post, as one print file with a cover sheet."""

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from babel.dates import format_date
from rich.console import Console

from db import dispatch, migrate
from db import letters as stored
from db.configuration import with_master_key
from db.dispatch import Note
from db.letters import Letter
from db.settings import Settings
from gateway import portal
from gateway.jobs import database_of
from notifications import results
from notifications.channels import Delivery, Family, News
from notifications.crashes import crashed
from notifications.messages import Messages
from resolvers.context import Process
from resolvers.typesetting import printable
from resolvers.viewer import SYSTEM_SIGHT

MOST = 500
"""Letters of one file."""

SECONDS = 300.0
"""Time that setting one file may take."""

TEMPLATE = (Path(portal.__file__).parents[1] / "resolvers" / "data" / "letters.typ").read_bytes()
LOCALES = {"fr": "fr_FR", "en": "en_GB"}
HEADS = ("N°", "Famille", "Destination")


Made = list[tuple[Letter, dict[str, Any]]]
"""Letters, with what is set of each."""


@dataclass(frozen=True, slots=True)
class Printed:
    """What came of some of the letters that waited."""

    file: Path | None
    """Where they are, if any could be made."""

    letters: int
    left_out: list[UUID]
    """Deliveries whose words could not be made."""


async def printed(settings: Settings, folder: Path, console: Console) -> None:
    """Write print files until nothing waits; each is whole on the disk before its letters count as handed over.

    Ends with status 1 when letters had to be left out.
    """
    settings = with_master_key(settings)
    async with database_of(settings) as dsn:
        await migrate.migrate(dsn)
        async with portal.opened(settings, dsn) as opened:
            now, done = opened.process.clock(), list[Printed]()
            while found := await write_file(opened.process, folder, now):
                done.append(found)
                if found.file:
                    console.print(f"{found.file}: {found.letters} letters")
    if not done:
        console.print("No letter waits.")
    left_out = [str(each) for found in done for each in found.left_out]
    if left_out:
        console.print(f"{len(left_out)} letters could not be made, see the log: {', '.join(left_out)}")
        raise SystemExit(1)


async def write_file(process: Process, folder: Path, now: datetime) -> Printed | None:
    """Write the next print file of what was due at `now`; None when nothing waits.

    A letter whose words cannot be made is left out, counts a crash, and is put aside after `outbox.crashes` of them.
    What a command that died had written is written again under the same name: its letters still wait.
    """
    day = f"letters-{now.astimezone(ZoneInfo(process.settings.city.time_zone)):%Y-%m-%d}"
    async with process.database.transaction(SYSTEM_SIGHT) as tx:
        await tx.execute("set local statement_timeout = '600s'; set local idle_in_transaction_session_timeout = 0")
        found = await stored.waiting(tx, now, MOST)
        if not found:
            return None
        made, crashes = _made(process, found, now)
        if crashes:
            await results.fall_back(tx, await dispatch.write(tx, crashes), process.clock())
        file = await _file(process, tx, folder, day, made, now) if made else None
    return Printed(file, len(made), [note.delivery_id for _, note in crashes])


async def _file(process: Process, tx: Any, folder: Path, day: str, made: Made, now: datetime) -> Path:
    name = f"{day}-{await stored.files_of(tx, day) + 1}"
    file = folder / f"{name}.pdf"
    _write(file, await process.typesetter.pdf(TEMPLATE, _data(process, name, made, now), now, SECONDS))
    await stored.take(tx, [letter for letter, _ in made], name, now)
    return file


def _write(file: Path, content: bytes) -> None:
    """Write a file so that its name never stands for half of it; only its owner may read it."""
    half = file.with_suffix(".part")
    half.unlink(missing_ok=True)
    with open(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    half.rename(file)


def _made(process: Process, letters: list[Letter], now: datetime) -> tuple[Made, list[tuple[UUID, Note]]]:
    """Make the words of letters; give also the crashes, each with its family."""
    settings, made, crashes = process.settings, Made(), list[tuple[UUID, Note]]()
    messages = Messages(settings.city, settings.server.url, process.keys, process.clock)
    for letter in letters:
        try:
            made.append((letter, _letter(messages, letter, now.astimezone(ZoneInfo(settings.city.time_zone)))))
        except Exception as fault:
            note = crashed(letter.waiting, "POST", fault, settings.outbox, process.clock())
            crashes.append((letter.family_id, note))
    return made, crashes


def _data(process: Process, name: str, made: Made, now: datetime) -> dict[str, Any]:
    settings = process.settings
    local = now.astimezone(ZoneInfo(settings.city.time_zone))
    return {
        "title": f"Courriers à imprimer : {name}",
        "city": printable(settings.city.name),
        "date": {"year": local.year, "month": local.month, "day": local.day},
        "count": f"{len(made)} lettres. Chacune commence au recto d’une feuille.",
        "heads": HEADS,
        "letters": [{"place": place, **words} for place, (_, words) in enumerate(made, 1)],
    }


def _letter(messages: Messages, letter: Letter, local: datetime) -> dict[str, Any]:
    waiting = letter.waiting
    news = News(waiting.topic, waiting.type, waiting.data, waiting.occurred_at)
    family = Family(letter.family_id, letter.number, letter.name, letter.language)
    message = messages.write(Delivery(waiting.id, letter.address, family, news), by_email=False)
    text = printable(message.text).replace("\n-- \n", "\n\n")
    return {
        "number": letter.number,
        "language": letter.language,
        "address": [printable(letter.name), *printable(letter.address).splitlines()],
        "day": format_date(local.date(), "long", LOCALES[letter.language]),
        "reference": f"{letter.number} · {waiting.id}",
        "subject": printable(message.subject),
        "paragraphs": [lines for part in text.split("\n\n") if (lines := part.strip().splitlines())],
    }
