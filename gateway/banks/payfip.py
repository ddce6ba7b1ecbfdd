"""PayFiP, the service of the Treasury that local authorities must offer (CGCT art. L1611-5-1).

Its notification is unsigned and holds an `idop` only: what became of a payment is always read from the service itself,
by SOAP. It may never notify, so that enquiries matter. An `idop` lives 15 minutes and is paid once.
"""

import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib import import_module
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

from db.settings_money import Payfip as PayfipSettings
from gateway.banks.threads import Threads, backend
from resolvers.banks import EURO, BankUnavailable, Contract, NotAMessage, Order, Outcome, Redirect, Statement

T = TypeVar("T")

MODES = {"W": "PRODUCTION", "X": "ACTIVATION", "T": "TEST"}
"""By `saisie`. An activation pays nothing to anybody."""

SMALLEST, LARGEST = 100, 99_999_99


class Payfip:
    """One client number at the service; see `resolvers.banks.Bank`."""

    def __init__(self, settings: PayfipSettings, address: str, test: bool, threads: Threads, reply_to: str) -> None:
        self._settings = settings
        self._address = address
        self._threads = threads
        self._saisie = "T" if test else "W"
        self._reply_to = reply_to
        self._local = threading.local()
        self.contract = Contract(settings.numcli or "", MODES[self._saisie], frozenset({"P", "V"}), SMALLEST, LARGEST)

    def _backend(self, return_to: str = "") -> Any:
        """Make the library's object, with the SOAP client of this thread: reading its description takes a while."""
        options = {
            "numcli": self.contract.site,
            "saisie": self._saisie,
            "normal_return_url": f"{self._address}/return{return_to}",
            "automatic_return_url": f"{self._address}/notification",
        }
        made = backend("payfip_ws", options)
        if not hasattr(self._local, "service"):
            library, zeep = import_module("eopayment.payfip_ws"), import_module("zeep")
            transport = zeep.Transport(timeout=self._threads.timeout, operation_timeout=self._threads.timeout)
            self._local.service = library.PayFiP(
                wsdl_url=self._settings.wsdl_url, zeep_client_kwargs={"transport": transport}
            )
        made.backend.payfip = self._local.service
        return made

    async def order(self, order: Order) -> Redirect:
        """Ask the service for an `idop`, and give the page where it is paid."""
        email = order.email if 6 <= len(order.email) <= 80 else self._reply_to

        def ordered() -> Redirect:
            made = self._backend(f"?payment={order.reference}")
            amount = Decimal(order.cents) / 100
            idop, _, address = made.request(
                amount, email=email, refdet=order.reference, subject=order.subject, timeout=self._threads.timeout
            )
            query = urlsplit(address).query
            return Redirect(f"{self._settings.page_url}?{query}", "GET", {}, idop)

        return await self._threads.ask(ordered)

    def named(self, message: bytes) -> str:
        """Give the `idop`; the library's own guess wants another spelling than its reader."""
        try:
            pairs = parse_qsl(message.decode("ascii"), strict_parsing=True, errors="strict", max_num_fields=20)
        except (ValueError, UnicodeError) as error:
            raise NotAMessage("not a form") from error
        named = [value for name, value in pairs if name.lower() == "idop"]
        if len(named) != 1 or not 1 <= len(named[0]) <= 64:
            raise NotAMessage("no idop")
        return named[0]

    async def read(self, message: bytes, age: timedelta) -> Statement:
        """Believe nothing of the message: ask the service about the `idop` that it names."""
        return await self.enquire(self.named(message), age)

    async def enquire(self, bank_reference: str, age: timedelta) -> Statement:
        """Ask the service what became of an `idop`.

        Fault P5, "not yet", means never once two hours have passed; P1, "unknown", means never (after a day).
        """

        def asked() -> Any:
            return self._backend().payment_status(
                bank_reference, transaction_date=datetime.now(UTC) - age, timeout=self._threads.timeout
            )

        answer = await self._threads.ask(asked)
        return self._statement(bank_reference, answer)

    async def look(self) -> str:
        """Ask the service who the client number is."""

        def asked() -> Any:
            return self._backend().backend.payfip.get_info_client(self.contract.site, timeout=self._threads.timeout)

        client = await self._threads.ask(asked)
        if client.numcli != self.contract.site:
            raise BankUnavailable("it knows another client by this number")
        return f"client {self.contract.site}, {client.libelleN1 or 'without a name'}"

    def _statement(self, idop: str, answer: Any) -> Statement:
        common = import_module("eopayment.common")
        outcomes = {
            common.PAID: Outcome.PAID,
            common.DENIED: Outcome.REFUSED,
            common.CANCELLED: Outcome.CANCELLED,
            common.EXPIRED: Outcome.EXPIRED,
        }
        outcome, told, contract = outcomes.get(answer.result, Outcome.WAITING), answer.bank_data, self.contract
        if not told:  # a fault: the service says nothing more
            return Statement(idop, outcome, True, contract.mode, contract.site, EURO, None, "", "NONE", None)
        amount = told.get("montant") or ""
        return Statement(
            bank_reference=told.get("idOp") or "",
            outcome=outcome,
            signed=True,
            mode=MODES.get(told.get("saisie"), ""),
            site=told.get("numcli") or "",
            currency=EURO,  # the service knows no other
            cents=int(amount) if amount.isascii() and amount.isdigit() else None,
            operation="DEBIT",
            status=told.get("resultrans") or "",
            transaction=told.get("idOp") or None,
            authorisation=told.get("numauto") or None,
        )
