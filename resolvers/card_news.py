"""What a family is told of a card payment that came to nothing; that one was made, the ledger tells (R16, R33)."""

from datetime import datetime
from typing import Any

from db.card_payments import Attempt
from db.outbox import Told

REFUSED = "card_payment_refused"
ENDED = "card_payment_ended"
PAYMENT_CHANGES = ("payment_received", "payment_undone", REFUSED, ENDED)
"""Types of news after which a card payment stands otherwise than before."""

FACTS = """
    select formatted_money($3, 'fr') as amount_fr, formatted_money($3, 'en') as amount_en,
        (select string_agg(i.number, ', ' order by i.number) from card_attempt_invoice c
            join invoice i on i.family_id = c.family_id and i.id = c.invoice_id
            where c.family_id = $1 and c.attempt_id = $2) as invoices,
        (select number from family where id = $1) as number
"""


async def refused(tx: Any, attempt: Attempt, at: datetime) -> Told:
    """The bank refused (R33): nothing was debited, the invoices can be paid again."""
    row = await tx.fetchrow(FACTS, attempt.family_id, attempt.id, attempt.cents)
    data = {
        "amount_fr": row["amount_fr"],
        "amount_en": row["amount_en"],
        "invoices": row["invoices"],
        "summary_fr": f"Votre banque a refusé le paiement de {row['amount_fr']} (factures {row['invoices']}).",
        "summary_en": f"Your bank refused the payment of {row['amount_en']} (invoices {row['invoices']}).",
    }
    return Told(attempt.family_id, "PAYMENT", REFUSED, attempt.id, data, at)


async def ended(tx: Any, attempt: Attempt, status: str, at: datetime) -> Told:
    """Nothing was paid in time, or it was given up: told in the portal only, where the person is just then."""
    row = await tx.fetchrow(FACTS, attempt.family_id, attempt.id, attempt.cents)
    why_fr, why_en = ("annulé", "cancelled") if status == "CANCELLED" else ("expiré", "expired")
    data = {
        "status": status,
        "amount_fr": row["amount_fr"],
        "amount_en": row["amount_en"],
        "invoices": row["invoices"],
        "summary_fr": f"Le paiement en ligne de {row['amount_fr']} est {why_fr}. Vos factures restent à payer.",
        "summary_en": f"The online payment of {row['amount_en']} was {why_en}. Your invoices are still to be paid.",
    }
    return Told(attempt.family_id, "PAYMENT", ENDED, attempt.id, data, at, to=[("IN_APP", row["number"])])
