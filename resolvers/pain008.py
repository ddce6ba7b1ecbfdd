"""The file that a bank collects from: pain.008.001.08, made by sepaxml and checked against the schema of ISO 20022.

The same debits give the same bytes, whenever they are asked for: what sepaxml makes of the moment and of chance
(message id, time, ids of groups) is replaced. Blocking work: run it in a thread.
"""

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from text_unidecode import unidecode

from resolvers.sepa import BankAccount, Creditor

SCHEMA = "pain.008.001.08"
NAMESPACE = f"{{urn:iso:std:iso:20022:tech:xsd:{SCHEMA}}}"
_OUTSIDE_LATIN = re.compile(r"[^A-Za-z0-9/?:().,'+ -]+")
"""What banks may refuse (EPC217-08, the Latin character set)."""

_ONE_AT_A_TIME = threading.Lock()
"""sepaxml writes the names of namespaces into a table of the whole process."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where the holder of an account lives, for banks outside the European Economic Area."""

    street: str
    postcode: str
    town: str
    country: str


@dataclass(frozen=True, slots=True)
class Collection:
    """One debit of one account."""

    end_to_end_id: str
    cents: int
    sequence: str
    """FRST or RCUR."""
    rum: str
    signed_on: date
    holder: str
    account: BankAccount
    address: Address | None
    text: str
    """What the statement of account says of it."""


@dataclass(frozen=True, slots=True)
class Message:
    """What the file as a whole says."""

    message_id: str
    made_at: datetime
    """UTC; written so."""
    due_on: date


def latin(text: str, length: int) -> str:
    """Write a text in the characters that all banks take, cut to a length; never empty."""
    plain = " ".join(_OUTSIDE_LATIN.sub(" ", unidecode(text)).split())[:length].strip()
    return plain or "-"


def pain008(creditor: Creditor, message: Message, collections: Sequence[Collection]) -> bytes:
    """Make the file of debits that fall due on one day. Raises ValueError for none, and what does not fit the schema
    as `xmlschema.XMLSchemaValidationError`.
    """
    if not collections:
        raise ValueError("a file needs a debit")
    from sepaxml import SepaDD

    with _ONE_AT_A_TIME:
        file = SepaDD(_creditor(creditor), schema=SCHEMA, clean=False)
        for collection in collections:
            file.add_payment(_payment(message, collection))
        made = ElementTree.fromstring(file.export(validate=False))  # noqa: S314 - it was made here
        _settle(made, message)
        content: bytes = ElementTree.tostring(made, "UTF-8", xml_declaration=True)
    validated(content)
    return content


def _creditor(creditor: Creditor) -> dict[str, Any]:
    config = {
        "name": latin(creditor.name, 70),
        "IBAN": creditor.iban,
        "batch": True,
        "creditor_id": creditor.identifier,
        "currency": "EUR",
        "instrument": "CORE",
    }
    return config | ({"BIC": creditor.bic} if creditor.bic else {})


def _payment(message: Message, collection: Collection) -> dict[str, Any]:
    payment = {
        "name": latin(collection.holder, 70),
        "IBAN": collection.account.iban,
        "amount": collection.cents,
        "type": collection.sequence,
        "collection_date": message.due_on,
        "mandate_id": collection.rum,
        "mandate_date": collection.signed_on,
        "description": latin(collection.text, 140),
        "endtoend_id": collection.end_to_end_id,
    }
    if collection.account.bic:
        payment["BIC"] = collection.account.bic
    if collection.address is not None and collection.account.needs_address:
        payment["address"] = {
            "street_name": latin(collection.address.street, 70),
            "postcode": latin(collection.address.postcode, 16),
            "town": latin(collection.address.town, 35),
            "country": collection.address.country,
        }
    return payment


def _settle(made: ElementTree.Element, message: Message) -> None:
    """Replace what differs each time."""
    _write(made, "GrpHdr/MsgId", message.message_id)
    _write(made, "GrpHdr/CreDtTm", message.made_at.strftime("%Y-%m-%dT%H:%M:%SZ"))
    for number, group in enumerate(made.iter(f"{NAMESPACE}PmtInf"), 1):
        _write(group, "PmtInfId", f"{message.message_id}-{number}")


def _write(element: ElementTree.Element, path: str, text: str) -> None:
    start = element if element.tag.endswith("PmtInf") else element[0]
    found = start.find("/".join(NAMESPACE + step for step in path.split("/")))
    assert found is not None, path
    found.text = text


def validated(content: bytes) -> None:
    """Check a file against the schema; raises `xmlschema.XMLSchemaValidationError`, which may name an account."""
    _schema().validate(content.decode())


@cache
def _schema() -> Any:
    import sepaxml
    from xmlschema import XMLSchema

    return XMLSchema(str(Path(sepaxml.__file__).parent / "schemas" / f"{SCHEMA}.xsd"))
