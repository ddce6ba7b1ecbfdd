"""The word by which anybody can stop text messages to a phone, without an account."""

import re
import unicodedata
from datetime import datetime
from typing import Any

from db import audit, receipts

WORDS = frozenset({"STOP", "ARRET", "STOPSMS", "DESABONNEMENT", "UNSUBSCRIBE"})
REASON = "STOPPED"


def is_stop(body: str) -> bool:
    """Whether a text message asks for silence: its first word says so, whatever its capitals and accents."""
    first = re.split(r"[\W_]+", body.strip(), maxsplit=1)[0][:40]
    bare = "".join(each for each in unicodedata.normalize("NFKD", first) if not unicodedata.combining(each))
    return bare.upper() in WORDS


async def stop(tx: Any, number: str, now: datetime) -> int:
    """Retire a number (E.164) for all families that have it, and record it; gives how many.

    What waits for the number takes its next channel; the families are told by a job. Needs a transaction.
    """
    retired = await receipts.retire_everywhere(tx, "SMS", number, now, REASON)
    for family_id, address_id in retired:
        await audit.record(tx, audit.Act("phone_stopped", "SYSTEM", now, None, family_id, address_id))
    return len(retired)
