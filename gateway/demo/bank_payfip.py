"""PayFiP on this machine: the Treasury's SOAP service with its faults, the page, and the unsigned notification."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from xml.sax.saxutils import escape

from aiohttp import web
from lxml import etree

from db.clock import PARIS, Clock
from gateway.demo.bank import GIVEN_UP, REFUSED, TAKEN, Counter, Paying, Post

NUMCLI = "006382"
LIVES = timedelta(minutes=15)
SWEPT = timedelta(days=1)
SERVICE = "/tpa/services/securite"
PAGE = "/tpa/paiementws.web"
REAL_SERVICE = "https://www.payfip.gouv.fr/tpa/services/securite"
CONTRACT = (
    "http://securite.service.tpa.cp.finances.gouv.fr/services/mas_securite/contrat_paiement_securise/"
    "PaiementSecuriseService"
)
FAULT = "fr.gouv.finances.cp.tpa.webservice.exceptions.FonctionnelleErreur"

RESULT = {
    ("card", TAKEN): "P",
    ("debit", TAKEN): "V",
    ("card", REFUSED): "R",
    ("debit", REFUSED): "Z",
    ("card", GIVEN_UP): "A",
    ("debit", GIVEN_UP): "A",
}
"""`resultrans`."""

ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/">'
    "<soap:Body>{body}</soap:Body></soap:Envelope>"
)


class Fault(Exception):
    """A fault of the service."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(code)
        self.code = code
        self.text = text


@dataclass(slots=True)
class Operation:
    """One `idop`."""

    idop: str
    asked: dict[str, str]
    at: datetime
    result: str = ""
    authorisation: str = ""
    paid_at: datetime | None = None


class DemoPayfip:
    """One client number."""

    def __init__(self, clock: Clock, counter: Counter, post: Post) -> None:
        self._clock = clock
        self._counter = counter
        self._post = post
        self.url = ""
        self.operations: dict[str, Operation] = {}
        """By idop."""
        self.calls: list[str] = []
        """Names of the operations that were called, for tests."""

    def settings(self, url: str) -> dict[str, Any]:
        """Give what a portal must know of it."""
        return {"numcli": NUMCLI, "wsdl_url": f"{url}{SERVICE}?wsdl", "page_url": f"{url}{PAGE}"}

    def routes(self) -> list[web.RouteDef]:
        """Give its addresses."""
        return [
            web.get(SERVICE, self.describe),
            web.get(r"/tpa/services/{name:PaiementSecuriseService_schema\d\.xsd}", self.schema),
            web.post(SERVICE, self.call),
            web.get(PAGE, self.enter),
        ]

    async def describe(self, request: web.Request) -> web.Response:
        """Give the description of the service as the Treasury publishes it, at this address."""
        text = _published("PaiementSecuriseService.wsdl").replace(REAL_SERVICE, f"{self.url}{SERVICE}")
        return web.Response(text=text, content_type="text/xml")

    async def schema(self, request: web.Request) -> web.Response:
        """Give a part of the description."""
        return web.Response(text=_published(request.match_info["name"]), content_type="text/xml")

    async def call(self, request: web.Request) -> web.Response:
        """Answer a SOAP call."""
        parser = etree.XMLParser(resolve_entities=False, no_network=True)
        envelope = etree.fromstring(await request.read(), parser)
        called = envelope.find("{*}Body")[0]
        name = etree.QName(called).localname
        asked = {etree.QName(each).localname: each.text or "" for each in called[0]}
        self.calls.append(name)
        operations = {
            "creerPaiementSecurise": self._create,
            "recupererDetailPaiementSecurise": self._detail,
            "recupererDetailClient": self._client,
        }
        try:
            return _xml(_result(name, operations[name](asked)))
        except Fault as fault:
            return _xml(_fault(fault), status=500)

    def _create(self, asked: dict[str, str]) -> dict[str, str]:
        checks = (
            ("numcli", asked.get("numcli") == NUMCLI, "T1", "Numéro de client inconnu"),
            ("exer", len(asked.get("exer", "")) == 4, "E1", "Exercice incorrect"),
            ("refdet", 6 <= len(asked.get("refdet", "")) <= 30 and asked["refdet"].isalnum(), "R1", "refdet incorrect"),
            ("montant", asked.get("montant", "").isdigit() and 100 <= int(asked["montant"]) < 10**7, "M1", "Montant"),
            ("mel", "@" in asked.get("mel", ""), "A2", "Adresse électronique incorrecte"),
            ("saisie", asked.get("saisie") in ("T", "X", "W"), "S1", "Saisie incorrecte"),
            ("urlnotif", asked.get("urlnotif", "").startswith("http"), "U1", "urlnotif incorrecte"),
        )
        for _, good, code, text in checks:
            if not good:
                raise Fault(code, text)
        idop = secrets.token_hex(16)
        self.operations[idop] = Operation(idop, asked, self._clock())
        return {"idOp": idop}

    def _detail(self, asked: dict[str, str]) -> dict[str, str]:
        operation = self.operations.get(asked.get("idOp", ""))
        if operation is None:
            raise Fault("P1", "IdOp incorrect.")
        if not operation.result:
            if self._clock() - operation.at >= SWEPT:
                raise Fault("P1", "IdOp incorrect.")
            raise Fault("P5", "Résultat de la transaction non connu.")
        return self.detail(operation.idop)

    def detail(self, idop: str) -> dict[str, str]:
        """Give what the service tells of a payment that was decided."""
        operation = self.operations[idop]
        assert operation.paid_at is not None, "decided before"
        at = operation.paid_at.astimezone(PARIS)
        asked = operation.asked
        return {
            "dattrans": f"{at:%d%m%Y}",
            "exer": asked["exer"],
            "heurtrans": f"{at:%H%M}",
            "idOp": idop,
            "mel": asked["mel"],
            "montant": asked["montant"],
            "numauto": operation.authorisation,
            "numcli": asked["numcli"],
            "objet": asked.get("objet", ""),
            "refdet": asked["refdet"],
            "resultrans": operation.result,
            "saisie": asked["saisie"],
        }

    def _client(self, asked: dict[str, str]) -> dict[str, str]:
        if asked.get("numCli") != NUMCLI:
            raise Fault("T1", "Numéro de client inconnu")
        return {"libelleN1": "VILLE DE DEMONSTRATION", "libelleN2": "REGIE FAMILLE", "numcli": NUMCLI}

    async def enter(self, request: web.Request) -> web.Response:
        """Lead the bearer of an `idop` to the page."""
        raise web.HTTPSeeOther(self.open(request.query.get("idop", "")))

    def open(self, idop: str) -> str:
        """Give the path of the page of an `idop`. Raises HTTPNotFound for one that is unknown, past or paid."""
        operation = self.operations.get(idop)
        if operation is None or operation.result or self._clock() - operation.at > LIVES:
            raise web.HTTPNotFound(text="Cette opération n’existe pas ou a expiré.")
        asked = operation.asked
        paying = Paying(
            secrets.token_urlsafe(12),
            "PayFiP (démonstration)",
            f"client {NUMCLI}",
            int(asked["montant"]),
            asked.get("objet", ""),
            asked["urlredirect"],
            (("card", "Carte bancaire"), ("debit", "Prélèvement unique")),
        )
        return self._counter.open(paying, lambda _, choice, way: self.decide(idop, choice, way))

    def decide(self, idop: str, choice: str, way: str = "card") -> None:
        """Let a payment come out as chosen, and notify: the `idop`, and nothing else."""
        operation = self.operations[idop]
        operation.result, operation.paid_at = RESULT[way, choice], self._clock()
        operation.authorisation = f"{secrets.randbelow(10**6):06d}" if choice == TAKEN else ""
        self._post.send(operation.asked["urlnotif"], urlencode({"idop": idop}))


def idop_of(address: str) -> str:
    """Give the `idop` in the address of a page."""
    return parse_qs(urlsplit(address).query)["idop"][0]


def _published(name: str) -> str:
    return (files("eopayment") / "resource" / name).read_text(encoding="utf-8")


def _result(name: str, values: Mapping[str, str]) -> str:
    parts = "".join(f"<{key}>{escape(value)}</{key}>" for key, value in values.items() if value)
    return f'<r:{name}Response xmlns:r="{CONTRACT}"><return>{parts}</return></r:{name}Response>'


def _fault(fault: Fault) -> str:
    text = escape(fault.text)
    return (
        f"<soap:Fault><faultcode>soap:Server</faultcode><faultstring>{FAULT}</faultstring><detail>"
        f'<f:FonctionnelleErreur xmlns:f="{CONTRACT}"><code>{fault.code}</code><descriptif>{text}</descriptif>'
        f"<libelle>{text}</libelle><severite>2</severite></f:FonctionnelleErreur></detail></soap:Fault>"
    )


def _xml(body: str, status: int = 200) -> web.Response:
    return web.Response(text=ENVELOPE.format(body=body), status=status, content_type="text/xml")
