"""The settings of money: invoices, the till, banks that take cards, direct debits, collection."""

from typing import Annotated, Literal

from msgspec import field

from db.settings_base import Section, note


class Billing(Section, frozen=True):
    """Billing runs and invoices; see docs/billing.md. Amounts are cents."""

    due_days: Annotated[int, note("Days from issue to the last day to pay.", ge=1, le=366)] = 30
    huge_cents: Annotated[int, note("Drafts above this are shown to who checks them.", ge=0)] = 60_000
    difference_cents: Annotated[int, note("So are those that differ from last month by more than this ...", ge=0)] = (
        5_000
    )
    difference_percent: Annotated[int, note("... and by more than this many per cent.", ge=0)] = 50
    families_at_once: Annotated[
        int, note("Families whose drafts one transaction publishes; whoever touches them waits.", ge=1, le=10_000)
    ] = 250
    code_days: Annotated[int, note("Life of an activation code printed on an invoice.", ge=1, le=366)] = 180
    sender: Annotated[str, note("Department that sends the invoices, as they say it.")] = "Régie Enfance et Éducation"
    address: Annotated[
        str, note("Postal address for cheques and coupons; lines separated by commas.", min_length=1)
    ] = "Place de la République, 33000 Ville"
    payee: Annotated[str, note("To whom cheques are made out.", min_length=1)] = "Trésor public"
    timeout: Annotated[float, note("Time to set one invoice in type.", gt=0)] = 20.0


class Money(Section, frozen=True):
    """Invoices and payments; see docs/money.md."""

    cash_limit_cents: Annotated[
        int, note("The most that may be paid in cash at once, in cents (CGI art. 1680: 300 euros).", ge=0)
    ] = 30_000
    reissue_days: Annotated[int, note("Days to pay an invoice that replaces a cancelled one.", ge=0, le=365)] = 30
    reminder_days: Annotated[
        tuple[int, ...], note("Families are reminded of an overdue invoice so many days after its due date.")
    ] = (7, 30)
    receipt_link_seconds: Annotated[int, note("Life of a link to a receipt.", ge=30, le=86400)] = 300
    pdf_timeout: Annotated[float, note("Time to set a receipt in type.", gt=0, le=60)] = 10.0


class Cards(Section, frozen=True):
    """Paying by card online; which banks there are say the sections `systempay`, `payfip` and `other_bank`."""

    first: Annotated[str, note("The bank that is offered where there are several.", min_length=1)] = "systempay"
    test: Annotated[
        bool, note("Speak with the banks' test platforms; messages then count in their TEST mode only.")
    ] = False
    attempt_seconds: Annotated[int, note("Time to pay at the bank; an invoice has one attempt at a time.", ge=60)] = 900
    enquire_after: Annotated[
        tuple[int, int], note("Seconds after a start at which the bank is asked what became of it.")
    ] = (1200, 7200)
    enquire_days: Annotated[int, note("Nights on which the bank is asked again, while it has not said.", ge=1)] = 7
    timeout: Annotated[float, note("Wait for a bank.", gt=0, le=60)] = 10.0
    return_url: Annotated[
        str | None, note("Page of the web app that browsers come back to (?payment=id); none: a page of the portal.")
    ] = None


class Systempay(Section, frozen=True):
    """SystemPay, or PayZen: one shop."""

    site_id: Annotated[str | None, note("Number of the shop; none: this bank is not used.")] = None
    key: Annotated[str | None, note("Key of the shop's form, of the mode in use (HMAC-SHA-256).", secret=True)] = None
    platform: Annotated[Literal["systempayv2", "payzen"], note("Which of the twins.")] = "systempayv2"
    form_url: Annotated[str, note("Page to pay at.")] = "https://paiement.systempay.fr/vads-payment/"
    rest_url: Annotated[str, note("Enquiry service.")] = "https://api.systempay.fr/api-payment"
    rest_password: Annotated[
        str | None,
        note("Password of the enquiry service; none: no enquiries, notifications alone decide.", secret=True),
    ] = None


class Payfip(Section, frozen=True):
    """PayFiP: one client number."""

    numcli: Annotated[str | None, note("Client number; none: this bank is not used.")] = None
    wsdl_url: Annotated[str | None, note("Description of the service; none: the Treasury's own.")] = None
    page_url: Annotated[str, note("Page to pay at.")] = "https://www.payfip.gouv.fr/tpa/paiementws.web"


class OtherBank(Section, frozen=True):
    """Any other bank that eopayment knows; see docs/payments.md."""

    backend: Annotated[str | None, note("Its name in eopayment, e.g. paybox; none: no such bank.")] = None
    name: Annotated[str, note("Its name in addresses.", pattern=r"^[a-z][a-z0-9-]{1,30}$")] = "bank"
    options: Annotated[dict[str, str], note("What eopayment must know of it.", secret=True)] = field(
        default_factory=dict
    )
    site: Annotated[str, note("Site or shop that its messages must name.")] = ""
    paid: Annotated[tuple[str, ...], note("Its words for authorised and captured.")] = ()
    compared: Annotated[
        dict[str, str],
        note("Fields of its messages: amount, currency, site, operation, status, transaction, authorisation."),
    ] = field(default_factory=dict)
    amounts: Annotated[Literal["cents", "euros"], note("What its amounts count.")] = "cents"


class Debit(Section, frozen=True):
    """Direct debits (R26): whose they are, and the times that the SEPA rulebook leaves to the creditor."""

    creditor_name: Annotated[str | None, note("Name of the creditor at its bank; none: the city's.")] = None
    creditor_identifier: Annotated[
        str | None, note("Identifiant créancier SEPA (ICS); none: no debits in production, a made-up one elsewhere.")
    ] = None
    creditor_iban: Annotated[str | None, note("IBAN of the account that debits come in on.", secret=True)] = None
    creditor_bic: Annotated[str | None, note("BIC of that account's bank.")] = None
    notice_days: Annotated[
        int, note("Days between the announcement of a debit and its day (rulebook: 14 unless agreed).", ge=1, le=60)
    ] = 14
    bank_days: Annotated[int, note("Business days that the bank needs a file before its day.", ge=1, le=10)] = 2
    lapse_months: Annotated[int, note("A mandate unused so long lapses (rulebook: 36).", ge=1, le=36)] = 36
    returns: Annotated[int, note("Returned debits after which a mandate ends, whatever the reason.", ge=1)] = 2
    first_sequence: Annotated[
        Literal["FRST", "RCUR"], note("Sequence type of a mandate's first debit; banks accept both since 2016.")
    ] = "FRST"


class Collection(Section, frozen=True):
    """Handing unpaid invoices over to the public accountant (comptable public), who collects them by force of law."""

    overdue_days: Annotated[int, note("Days after its due date at which an invoice may be handed over.", ge=1)] = 45
    least_cents: Annotated[
        int, note("Debts below are not handed over; 15 euros is the threshold of CGCT D1611-1.", ge=0)
    ] = 1500
    post: Annotated[str, note("Codique of the accountant's post (IdPost).", pattern=r"^[0-9]{6,7}$")] = "033000"
    siret: Annotated[str, note("SIRET of the city (IdColl).", pattern=r"^[0-9]{14}$")] = "21330318500019"
    collectivity: Annotated[str, note("Code of the city at its post (CodCol).", pattern=r"^[0-9]{3}$")] = "001"
    budget: Annotated[str, note("Code of the budget (CodBud).", pattern=r"^[0-9A-Z]{1,10}$")] = "00"
    product: Annotated[str, note("Local code of the product (CodProdLoc).", pattern=r"^[0-9A-Z]{1,4}$")] = "0100"
