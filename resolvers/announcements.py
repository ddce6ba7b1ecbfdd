"""What the whole city can be told: the one place where such news is born."""

from datetime import datetime
from typing import Any

from babel.dates import format_datetime

from db.clock import PARIS
from db.service_status import Maintenance

FORMATS = {"fr": ("d MMMM y 'à' H'\u00a0h\u00a0'mm", "fr_FR"), "en": ("d MMMM y 'at' h:mm a", "en_GB")}


def terms_published(version: int, effective_at: datetime) -> dict[str, Any]:
    """New terms of use (R5)."""
    return {
        "version": version,
        "effective_at": effective_at.isoformat(),
        "summary_fr": "De nouvelles conditions générales d’utilisation s’appliquent à partir du "
        f"{moment(effective_at, 'fr')}.",
        "summary_en": f"New terms of use apply from {moment(effective_at, 'en')}.",
    }


def maintenance(given: Maintenance, *, planned: bool) -> dict[str, Any]:
    """Families can only read for some time (R8)."""
    french, english = moment(given.starts_at, "fr"), moment(given.starts_at, "en")
    begins_fr = f"Une maintenance est prévue à partir du {french}" if planned else "Une maintenance est en cours"
    begins_en = f"Maintenance is planned from {english}" if planned else "Maintenance is under way"
    until = given.ends_at
    return {
        "starts_at": given.starts_at.isoformat(),
        "ends_at": until.isoformat() if until else None,
        "notice_fr": given.message_fr,
        "notice_en": given.message_en,
        "summary_fr": begins_fr + (f", jusqu’au {moment(until, 'fr')}." if until else "."),
        "summary_en": begins_en + (f", until {moment(until, 'en')}." if until else "."),
    }


def moment(at: datetime, language: str) -> str:
    """Write a moment in legal time."""
    pattern, locale = FORMATS[language]
    return format_datetime(at.astimezone(PARIS), pattern, locale=locale)
