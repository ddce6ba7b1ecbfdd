"""The words that families read."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jinja2
import pytest

from db.ids import uuid7
from db.keys import Keys, LinkRefused
from db.settings import City
from db.typography import set_finely
from notifications import build_templates
from notifications.channels import Delivery, Family, News
from notifications.messages import FOLDER, Message, Messages, UnknownNews
from notifications.words import LANGUAGES, STATUSES

NOW = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)
KEYS = Keys(bytes(32))
SERVICE = {
    "name_fr": "Restauration scolaire",
    "name_en": "School canteen",
    "address": "12 place du Marché, 33600 Saint-Aubin",
    "phone": "05 57 00 00 10",
    "email": "cantine@ville.example",
    "hours_fr": "le matin",
    "hours_en": "in the morning",
}
PROCEDURE = {
    "reference": "PES-2026-000123",
    "title_fr": "Inscription à la cantine",
    "title_en": "Canteen registration",
    "service": SERVICE,
}
SUBMITTED = PROCEDURE | {
    "submitted_at": "2026-10-31T23:30:00Z",
    "implied_decision_on": "2027-01-01",
    "silence_means": "ACCEPTED",
}
MOVED = PROCEDURE | {"from": "IN_REVIEW", "to": "ACCEPTED", "message": None}
MAINTENANCE = {
    "starts_at": "2026-12-01T20:00:00+00:00",
    "ends_at": "2026-12-02T04:00:00+00:00",
    "notice_fr": "Nous déménageons.",
    "notice_en": "We are moving.",
}
LOGIN = {"account": "0199", "at": "2026-11-22T13:05:00+00:00", "login": "martin@exemple.fr"}
EMAIL_CHANGE = LOGIN | {"change": "0199", "side": "old", "old_email": "a@exemple.fr", "new_email": "b@exemple.fr"}
AMOUNTS = {
    f"{name}_{language}": text
    for name in ("amount", "total", "open", "paid", "credit", "refund", "forfeited")
    for language, text in (("fr", "12,50\u00a0€"), ("en", "€12.50"))
}
SUMMARY = {"summary_fr": "Une facture de votre famille.", "summary_en": "An invoice of your family."}
INVOICE = AMOUNTS | SUMMARY | {"invoice": "2026-000123", "due_on": "2026-12-15"}
PAYMENT = AMOUNTS | {
    "payment": "0199",
    "visit": "0199",
    "receipt": "R2026-000009",
    "means_fr": "chèque",
    "means_en": "cheque",
    "invoices": ["2026-000123"],
    "credit_cents": 0,
    "forfeited_cents": 0,
}
DEBIT = INVOICE | {
    "account": "FR76 •••• 2606",
    "rum": "PES-123456-1",
    "creditor": "Ville de Saint-Aubin",
    "ics": "FR72ZZZ123456",
    "collect_on": "2026-12-15",
    "returned_on": "2026-12-16",
}

NEWS: dict[str, dict[str, Any]] = {
    "email_verification": {"account": "0199", "email": "martin@exemple.fr"},
    "account_activated": LOGIN,
    "password_reset_requested": LOGIN | {"request": "0199"},
    "password_changed": LOGIN,
    "email_change_requested": EMAIL_CHANGE,
    "email_change_confirmation": EMAIL_CHANGE,
    "email_changed": EMAIL_CHANGE,
    "email_change_cancelled": EMAIL_CHANGE,
    "account_locked": LOGIN,
    "family_changed": {"change": "MEMBER_ADDED", "summary_fr": "Zoé est là.", "summary_en": "Zoé is here."},
    "invitation": {"invitation": "0199", "expires_on": "2026-11-30", "inviting": "Famille Martin"},
    "new_device": LOGIN | {"device_fr": "Firefox sur Windows", "device_en": "Firefox on Windows"},
    "session_stolen": LOGIN | {"device_fr": "Chrome sur Android", "device_en": "Chrome on Android"},
    "provider_linked": {"provider": "FranceConnect"},
    "provider_unlinked": {"provider": "FranceConnect"},
    "procedure_submitted": SUBMITTED,
    "procedure_moved": MOVED,
    "procedure_message": PROCEDURE | {"author": "AGENT", "message": "Bonjour. Dites-nous quel jour vous convient."},
    "terms_published": {"version": 2, "effective_at": "2027-01-01T00:00:00+00:00"},
    "maintenance_planned": MAINTENANCE,
    "maintenance_started": MAINTENANCE | {"ends_at": None},
    "export_ready": {"export": "0199", "expires_at": "2026-11-29T13:05:00+00:00"},
    "account_closed": {"last_login": True, "open_procedures": 2},
    "account_terminated": {"message": "Faux documents."},
    "account_reinstated": {},
    "phone_verification": {"challenge": "0199"},
    "test": {},
    "daily_message": {
        "items": [{"at": NOW.isoformat(), "fr": "Votre facture est disponible.", "en": "Your invoice is available."}],
        "count": 2,
        "more": 1,
    },
    "procedure_decided_by_silence": MOVED | {"to": "ACCEPTED", "implied_decision_on": "2027-01-01"},
    "invoice_issued": INVOICE,
    "invoice_cancelled": INVOICE | {"reason": "Facturé par erreur."},
    "invoice_overdue": INVOICE | {"coupon": "123456789012"},
    "invoice_handed_over": INVOICE,
    "payment_received": PAYMENT,
    "payment_undone": PAYMENT | {"reason": "Erreur de saisie."},
    "payment_refunded": PAYMENT,
    "card_payment_refused": INVOICE | {"invoices": "2026-000123"},
    "card_payment_ended": INVOICE | {"invoices": "2026-000123", "status": "EXPIRED"},
    "mandate_changed": DEBIT | {"change": "SIGNED", "number": "123456"},
    "debit_announced": DEBIT,
    "debit_dropped": DEBIT,
    "debit_returned": DEBIT | {"reason": "AM04", "why_fr": "Provision insuffisante", "why_en": "Not enough money"},
}
TO_STRANGERS = ("phone_verification", "email_verification", "email_change_confirmation", "invitation")
"""What goes to addresses that may be somebody else's, by a slip of the pen."""

TO_OTHERS = ("partner_expires", "partner_webhook_disabled", "agent_billing_failed")
"""What the contact of a partner or an agent is told, who is no family."""

ALERTS = ("new_device", "session_stolen", "password_changed", "account_activated", "account_locked")
"""What every login of the family is told about one of them."""


def write(type: str, data: dict[str, Any], language: str = "fr", name: str = "Famille Martin") -> Message:
    """Write one message."""
    messages = Messages(City(name="Ville de Saint-Aubin"), "https://portail.example", KEYS, lambda: NOW)
    return messages.write(delivery(type, data, language, name))


def delivery(type: str, data: dict[str, Any], language: str = "fr", name: str = "Famille Martin") -> Delivery:
    """Make a delivery."""
    family = Family(uuid7(), "123456", name, language)
    return Delivery(uuid7(), "martin@exemple.fr", family, News("TOPIC", type, data, NOW))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("type", NEWS)
def test_every_message_names_the_family_the_help_desk_and_the_reason(type: str, language: str) -> None:
    message = write(type, NEWS[type], language)
    reason = {"fr": "Vous recevez", "en": "You receive"}[language]
    for body in (message.text, message.html):
        assert type in TO_STRANGERS or "Famille Martin" in body
        assert "05 00 00 00 00" in body
        assert "kiosque@ville.example" in body
        assert reason in body
    assert f'lang="{language}"' in message.html
    assert message.subject and "\n" not in message.subject


@pytest.mark.parametrize(("language", "hours"), [("fr", "de 8 h 30 à 17 h 30"), ("en", "8.30 am to 5.30 pm")])
def test_the_help_desk_tells_its_hours_in_the_language_of_the_family(language: str, hours: str) -> None:
    message = write("test", {}, language)
    assert hours in message.text and hours in message.html


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_acknowledgement_says_how_to_reach_the_service(language: str) -> None:
    """CRPA R112-5."""
    message = write("procedure_submitted", SUBMITTED, language)
    for part in (SERVICE[f"name_{language}"], SERVICE["address"], SERVICE["phone"], SERVICE["email"]):
        assert part in message.text and part in message.html


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("type", TO_STRANGERS)
def test_an_address_that_nobody_has_confirmed_is_not_told_the_name_of_the_family(type: str, language: str) -> None:
    message = write(type, NEWS[type] | {"inviting": "Tante Zoé"}, language)
    assert "Famille Martin" not in message.text + message.html


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("type", ALERTS)
def test_an_alert_says_which_login_of_the_family_it_locks(type: str, language: str) -> None:
    label = {"fr": "Accès\u00a0: ", "en": "Login: "}[language]
    assert f"{label}martin@exemple.fr\n" in write(type, NEWS[type], language).text
    before = {key: value for key, value in NEWS[type].items() if key != "login"}
    assert label not in write(type, before, language).text, "news of an older portal may still wait"


@pytest.mark.parametrize("language", LANGUAGES)
def test_both_languages_have_words_for_the_same_news(language: str) -> None:
    assert {path.stem for path in (FOLDER / language).glob("*.jinja")} == {*NEWS, *TO_OTHERS, "frame"}


@pytest.mark.parametrize("to", [status for status in STATUSES["fr"] if status not in ("DRAFT", "SUBMITTED")])
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_move_of_a_procedure_has_words(to: str, language: str) -> None:
    message = write("procedure_moved", MOVED | {"to": to, "message": "Première ligne\nSeconde ligne"}, language)
    assert "PES-2026-000123" in message.subject
    assert "> Première ligne\n> Seconde ligne\n" in message.text
    assert STATUSES[language][to] in message.text


def test_the_acknowledgement_says_what_the_law_asks_for() -> None:
    text = write("procedure_submitted", SUBMITTED).text
    assert "dimanche 1er novembre 2026 à 00\u00a0h\u00a030" in text
    assert "Sans réponse à cette date\u00a0: demande acceptée" in text
    assert "vendredi 1er janvier 2027" in text
    service = f"Restauration scolaire\n{SERVICE['address']}\nTéléphone\u00a0: 05 57 00 00 10\n"
    assert f"{service}Courriel\u00a0: cantine@ville.example" in text
    refused = write("procedure_submitted", SUBMITTED | {"silence_means": "REJECTED"}).text
    assert "réputée refusée" in refused and "tribunal administratif" in refused


def test_the_verification_link_is_signed_for_one_day() -> None:
    message = write("email_verification", NEWS["email_verification"])
    [link] = set(re.findall(r"https://portail\.example/verify-email\?token=[\w.-]+", message.text + message.html))
    [token] = parse_qs(urlsplit(link).query)["token"]
    claims = KEYS.read_link("verify-email", token, NOW + timedelta(hours=23))
    assert (claims["account"], claims["email"]) == ("0199", "martin@exemple.fr")
    with pytest.raises(LinkRefused):
        KEYS.read_link("verify-email", token, NOW + timedelta(hours=24))


def test_what_is_filled_in_stays_text() -> None:
    message = write("procedure_moved", MOVED | {"message": "<script>alert(1)</script>"}, name="A {{ 7 * 7 }} <b>&")
    assert "<script" not in message.html and "<b>" not in message.html
    assert "A {{ 7 * 7 }} &lt;b&gt;&amp;" in message.html
    assert "A {{ 7 * 7 }} <b>&" in message.text


def test_a_subject_has_no_line_break_whatever_is_filled_in() -> None:
    title = "Cantine\r\nBcc: x@exemple.fr"
    assert "\n" not in write("procedure_moved", MOVED | {"title_fr": title}).subject


@pytest.mark.parametrize(
    ("plain", "fine"),
    [
        ("l'école : oui ; non ! quoi ?", "l\u2019école\u00a0: oui\u00a0; non\u00a0! quoi\u00a0?"),
        ("« mot »", "«\u00a0mot\u00a0»"),
        ("24 heures", "24\u00a0heures"),
    ],
)
def test_french_is_set_with_its_own_spaces_and_apostrophes(plain: str, fine: str) -> None:
    assert set_finely(plain, "fr") == fine


@pytest.mark.parametrize("type", NEWS)
def test_no_french_message_has_a_space_that_may_break_before_a_sign(type: str) -> None:
    text = write(type, NEWS[type]).text
    assert not re.search(r" [:;!?»]|« |\w'\w", text)


def test_news_without_words_or_without_a_field_is_refused() -> None:
    with pytest.raises(UnknownNews):
        write("nobody_wrote_words", {})
    with pytest.raises(jinja2.UndefinedError):
        write("procedure_submitted", PROCEDURE)


def test_the_compiled_layout_is_up_to_date() -> None:
    assert build_templates.TARGET.read_text(encoding="utf-8") == build_templates.compiled()


def test_a_message_loads_nothing_from_anywhere() -> None:
    html = write("procedure_moved", MOVED).html
    assert not re.search(r"<(img|link|script|iframe)\b|@import|url\(", html)


def test_a_message_with_documents_says_so_and_one_written_before_documents_were_counted_is_still_sent() -> None:
    message = NEWS["procedure_message"]
    assert "Pièces jointes" not in write("procedure_message", message).text
    one = write("procedure_message", message | {"documents": 1}).text
    assert "Pièces jointes" in one and "Le document joint vous attend" in one
    several = write("procedure_message", message | {"documents": 3}, "en").text
    assert "Attachments" in several and "The attached documents are" in several
