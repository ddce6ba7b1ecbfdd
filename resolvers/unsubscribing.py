"""The link in each e-mail that ends such e-mails: for whoever holds it, without signing in (RFC 8058)."""

from dataclasses import dataclass
from uuid import UUID

from db import audit, preferences
from db.keys import LinkRefused
from db.outbox import Told, tell
from resolvers import family_news
from resolvers.context import Process
from resolvers.sentence import Sentence
from resolvers.viewer import SYSTEM_SIGHT

TOPICS = {
    "PROCEDURE_STATUS": Sentence("l’avancement de vos démarches", "the progress of your procedures"),
    "PROCEDURE_MESSAGE": Sentence("les messages sur vos démarches", "messages about your procedures"),
    "INVOICE_ISSUED": Sentence("vos nouvelles factures", "your new invoices"),
    "PAYMENT": Sentence("vos paiements", "your payments"),
    "DAILY_MESSAGE": Sentence("votre message du jour", "your daily message"),
    "MAINTENANCE": Sentence("les maintenances du Kiosque", "maintenance of the portal"),
    "CITY_INFORMATION": Sentence("les informations de la ville", "information of the city"),
}
"""Topics with news that nothing requires."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a link asks for."""

    family_id: UUID
    topic: str
    language: str
    """`fr` or `en`."""

    @property
    def about(self) -> str:
        """Give the topic as the family reads it."""
        return TOPICS[self.topic].to(self.language)


def read(process: Process, token: str) -> Wish:
    """Read a link; it changes nothing. Raises LinkRefused."""
    claims = process.keys.read_link(preferences.UNSUBSCRIBE, token, process.clock())
    if claims.get("topic") not in TOPICS:
        raise LinkRefused("no such topic")
    return Wish(UUID(claims["family"]), claims["topic"], claims["language"])


async def end_email(process: Process, wish: Wish) -> None:
    """Use e-mail no more for optional news of a topic; the family finds it confirmed in its inbox (R16).

    What the law or safety requires still comes. Repeated, it changes nothing.
    """
    now = process.clock()
    sentence, topic = family_news.SENTENCES["EMAIL_ENDED"], TOPICS[wish.topic]
    data = {
        "change": "EMAIL_ENDED",
        "summary_fr": sentence.fr.format(who=topic.fr),
        "summary_en": sentence.en.format(who=topic.en),
    }
    async with process.database.transaction(SYSTEM_SIGHT) as tx:
        subject = await preferences.end_email(tx, wish.family_id, wish.topic, now)
        if subject is None:
            return
        told = Told(wish.family_id, "ACCOUNT_SECURITY", family_news.TYPE, subject, data, now, inbox_only=True)
        await tell(tx, told)
        data = {"topic": wish.topic}
        await audit.record(tx, audit.Act("email_ended", "SYSTEM", now, None, wish.family_id, subject, data))
