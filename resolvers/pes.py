"""PES v2: the file by which a French authority gives its accountant what is owed to it (`PES_RecetteAller`, ORMC).

The structure is written down here as rules, each file is built from them and checked against them. What they rest on,
and what nobody could check here, is in docs/collection.md. Blocking work: run it in a thread.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from xml.etree import ElementTree

from db.settings_money import Collection

NAMESPACE = "http://www.minefi.gouv.fr/cp/helios/pes_v2/Rev0/aller"
ENCODING = "ISO-8859-1"
MANY = "*"
OPTIONAL = "?"
Tree = Mapping[str, "str | Tree"]

DAY = r"\d{4}-\d{2}-\d{2}"
AMOUNT = r"\d{1,10}\.\d{2}"

RULES: Tree = {
    "Enveloppe": {
        "Parametres": {"Version": "2", "TypFic": "PESORMC", "NomFic": r"[\w.-]{1,100}"},
        "Emetteur": {"Sigle": r".{1,38}", "Adresse": r".{1,255}"},
    },
    "EnTetePES": {
        "DteStr": DAY,
        "IdPost": r"\d{6,7}",
        "IdColl": r"\d{14}",
        "CodCol": r"\d{3}",
        "CodBud": r"[0-9A-Z]{1,10}",
    },
    "PES_RecetteAller": {
        "EnTeteRecette": {"IdVer": "2", "InfoDematerialisee": "0"},
        "Bordereau": {
            "BlocBordereau": {
                "Exer": r"\d{4}",
                "IdBord": r"\d{1,7}",
                "DteBordEm": DAY,
                "TypBord": "06",
                "NbrPce": r"\d{1,6}",
                "MtBordHt": AMOUNT,
                "DteAsp": DAY,
                "Objet": r".{1,160}",
            },
            "Piece*": {
                "BlocPiece": {
                    "IdPce": r"\d{1,8}",
                    "TypPce": "15",
                    "NatPce": "01",
                    "ObjPce": r".{1,160}",
                    "NumDette": r"\d{1,15}",
                    "Per": r"\d",
                    "Cle1": r"\d",
                    "Cle2": r"[A-HJ-NP-Y]",
                    "NumeroFacture": r".{1,20}",
                },
                "LigneDePiece": {
                    "BlocLignePiece": {
                        "InfoLignePiece": {
                            "IdLigne": r"\d{1,6}",
                            "ObjLignePce": r".{1,160}",
                            "CodProdLoc": r"[0-9A-Z]{1,4}",
                            "Nature": "588",
                            "Majo": "0",
                            "TvaIntraCom": "0",
                            "MtHT": AMOUNT,
                        },
                    },
                    "Tiers": {
                        "InfoTiers": {
                            "IdTiers?": r"\d{14}",
                            "NatIdTiers?": "01",
                            "CatTiers": "01|50",
                            "NatJur": "01|03|06",
                            "TypTiers": "01",
                            "Nom": r".{1,38}",
                            "Prenom?": r".{1,38}",
                        },
                        "Adresse": {
                            "TypAdr": "1",
                            "Adr2": r".{1,38}",
                            "CP": r"\d{5}",
                            "Ville": r".{1,38}",
                            "CodRes": "0",
                        },
                    },
                },
            },
        },
    },
}
"""Element → its elements in their order, or the pattern of its attribute `V`; `?` may be missing, `*` is repeated."""


class NotByTheRules(Exception):
    """A file breaks a rule; the text names the element, not its value."""


@dataclass(frozen=True, slots=True)
class Debtor:
    """Who owes, as the accountant must find them."""

    name: str
    first_name: str | None
    siret: str | None
    profile: str
    street: str
    postcode: str
    town: str


@dataclass(frozen=True, slots=True)
class Piece:
    """One invoice."""

    invoice: str
    """Number, e.g. 2026-000123."""
    reference: str
    """Twelve digits of the coupon."""
    subject: str
    cents: int
    debtor: Debtor


@dataclass(frozen=True, slots=True)
class Slip:
    """The slip (bordereau) that its pieces lie in."""

    year: int
    number: int
    made_on: date
    city: str
    name: str
    """Of the file."""


def pes(settings: Collection, slip: Slip, pieces: Sequence[Piece]) -> bytes:
    """Make the file of a docket. Raises NotByTheRules."""
    root = ElementTree.Element(f"{{{NAMESPACE}}}PES_Aller")
    for tag, inside in _document(settings, slip, pieces):
        _add(root, tag, inside)
    check(root)
    ElementTree.register_namespace("n", NAMESPACE)
    content: bytes = ElementTree.tostring(root, ENCODING, xml_declaration=True)
    return content


Value = str | list[tuple[str, "Value"]]


def _add(above: ElementTree.Element, tag: str, value: Value) -> None:
    element = ElementTree.SubElement(above, tag)
    if isinstance(value, str):
        element.set("V", value)
    else:
        for name, inside in value:
            _add(element, name, inside)


def _document(settings: Collection, slip: Slip, pieces: Sequence[Piece]) -> list[tuple[str, Value]]:
    day = slip.made_on.isoformat()
    total = amount(sum(piece.cents for piece in pieces))
    head: list[tuple[str, Value]] = [
        ("Exer", str(slip.year)),
        ("IdBord", str(slip.number)),
        ("DteBordEm", day),
        ("TypBord", "06"),
        ("NbrPce", str(len(pieces))),
        ("MtBordHt", total),
        ("DteAsp", day),
        ("Objet", plain(f"FACTURES IMPAYEES {slip.number}/{slip.year}", 160)),
    ]
    return [
        (
            "Enveloppe",
            [
                ("Parametres", [("Version", "2"), ("TypFic", "PESORMC"), ("NomFic", slip.name)]),
                ("Emetteur", [("Sigle", "KIOSQUE"), ("Adresse", plain(slip.city, 255))]),
            ],
        ),
        (
            "EnTetePES",
            [
                ("DteStr", day),
                ("IdPost", settings.post),
                ("IdColl", settings.siret),
                ("CodCol", settings.collectivity),
                ("CodBud", settings.budget),
            ],
        ),
        (
            "PES_RecetteAller",
            [
                ("EnTeteRecette", [("IdVer", "2"), ("InfoDematerialisee", "0")]),
                ("Bordereau", [("BlocBordereau", head), *[("Piece", _piece(settings, slip, each)) for each in pieces]]),
            ],
        ),
    ]


def _piece(settings: Collection, slip: Slip, piece: Piece) -> Value:
    period = str(slip.made_on.month % 10)
    debt = f"{piece.reference:0>13}"
    year = f"{slip.year % 100:02d}"
    return [
        (
            "BlocPiece",
            [
                ("IdPce", piece.invoice[2:4] + piece.invoice[5:]),
                ("TypPce", "15"),
                ("NatPce", "01"),
                ("ObjPce", plain(piece.subject, 160)),
                ("NumDette", piece.reference),
                ("Per", period),
                ("Cle1", key_mod_11(settings.collectivity + str(slip.number) + year + period + debt)),
                ("Cle2", key_mod_23(year + period + "00" + debt)),
                ("NumeroFacture", piece.invoice),
            ],
        ),
        (
            "LigneDePiece",
            [
                (
                    "BlocLignePiece",
                    [
                        (
                            "InfoLignePiece",
                            [
                                ("IdLigne", "1"),
                                ("ObjLignePce", plain(piece.subject, 160)),
                                ("CodProdLoc", settings.product),
                                ("Nature", "588"),
                                ("Majo", "0"),
                                ("TvaIntraCom", "0"),
                                ("MtHT", amount(piece.cents)),
                            ],
                        )
                    ],
                ),
                ("Tiers", _debtor(piece.debtor)),
            ],
        ),
    ]


NATURES = {"INDIVIDUAL": ("01", "01"), "PROFESSIONAL": ("50", "03"), "ASSOCIATION": ("50", "06")}
"""Category (CatTiers) and legal nature (NatJur), by profile."""


def _debtor(debtor: Debtor) -> Value:
    category, nature = NATURES[debtor.profile]
    known: list[tuple[str, Value]] = [("IdTiers", debtor.siret), ("NatIdTiers", "01")] if debtor.siret else []
    first: list[tuple[str, Value]] = [("Prenom", plain(debtor.first_name, 38))] if debtor.first_name else []
    named: list[tuple[str, Value]] = [
        ("CatTiers", category),
        ("NatJur", nature),
        ("TypTiers", "01"),
        ("Nom", plain(debtor.name, 38)),
    ]
    return [
        ("InfoTiers", [*known, *named, *first]),
        (
            "Adresse",
            [
                ("TypAdr", "1"),
                ("Adr2", plain(debtor.street, 38)),
                ("CP", debtor.postcode),
                ("Ville", plain(debtor.town, 38)),
                ("CodRes", "0"),
            ],
        ),
    ]


def plain(text: str, length: int) -> str:
    """Write a text in the characters of ISO 8859-1, in one line, cut to a length; never empty."""
    written = text.replace("œ", "oe").replace("Œ", "OE").replace("’", "'").encode(ENCODING, "replace").decode(ENCODING)
    return " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", written).split())[:length].strip() or "-"


def amount(cents: int) -> str:
    """Write an amount in euros, with a point."""
    return f"{cents // 100}.{cents % 100:02d}"


def key_mod_11(digits: str) -> str:
    """Give the first key of a debt: weights 2 to 7 from the right, 11 less the rest by 11; 10 and 11 become 1."""
    total = sum(int(digit) * (2 + place % 6) for place, digit in enumerate(reversed(digits)))
    key = 11 - total % 11
    return str(key if key < 10 else 1)


def key_mod_23(digits: str) -> str:
    """Give the second key of a debt: the rest by 23, as a letter without I, O and Z."""
    return "ABCDEFGHJKLMNPQRSTUVWXY"[int(digits) % 23]


def check(root: ElementTree.Element) -> None:
    """Check a file against the rules, and its sums. Raises NotByTheRules."""
    if root.tag != f"{{{NAMESPACE}}}PES_Aller":
        raise NotByTheRules("PES_Aller")
    _check(root, RULES, "PES_Aller")
    head = "PES_RecetteAller/Bordereau/BlocBordereau"
    amounts = [_cents(each) for each in root.iterfind(".//InfoLignePiece/MtHT")]
    if _value(root.find(f"{head}/NbrPce")) != str(len(amounts)):
        raise NotByTheRules("NbrPce")
    if _cents(root.find(f"{head}/MtBordHt")) != sum(amounts):
        raise NotByTheRules("MtBordHt")


def _check(element: ElementTree.Element, rules: Tree, path: str) -> None:
    waiting = list(element)
    for name, rule in rules.items():
        tag, where = name.rstrip(MANY + OPTIONAL), f"{path}/{name.rstrip(MANY + OPTIONAL)}"
        found = 0
        while waiting and waiting[0].tag == tag and (found == 0 or name.endswith(MANY)):
            _check_one(waiting.pop(0), rule, where)
            found += 1
        if found == 0 and not name.endswith(OPTIONAL):
            raise NotByTheRules(where)
    if waiting:
        raise NotByTheRules(f"{path}/{waiting[0].tag}")


def _check_one(element: ElementTree.Element, rule: "str | Tree", where: str) -> None:
    if isinstance(rule, str):
        if list(element) or set(element.attrib) != {"V"} or not re.fullmatch(rule, _value(element)):
            raise NotByTheRules(where)
    elif element.attrib:
        raise NotByTheRules(where)
    else:
        _check(element, rule, where)


def _value(element: ElementTree.Element | None) -> str:
    return "" if element is None else element.get("V", "")


def _cents(element: ElementTree.Element | None) -> int:
    return int(_value(element).replace(".", ""))
