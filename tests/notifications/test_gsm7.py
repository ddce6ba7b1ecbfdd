"""What a text message costs, and how French is written so that it costs less."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from notifications import gsm7
from notifications.channels.sms_provider import text_of
from notifications.messages import Short


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Votre dossier est complété : merci\u202f!", "Votre dossier est complété : merci !"),
        ("Reçu, fenêtre, hôtel, naïve, sûr, âge, Noël", "Recu, fenetre, hotel, naive, sur, age, Noel"),
        ("L’« œuvre » – déjà…", 'L\'" oeuvre " - déjà...'),
        ("ÀÉÈÊÇ 12\u00a0€", "AÉEEÇ 12 €"),
        ("e\u0301te\u0301", "été"),
        ("Łódź", "Łodz"),
        ("Мария", "Мария"),
    ],
)
def test_what_the_alphabet_lacks_is_written_otherwise_where_it_reads_the_same(text: str, plain: str) -> None:
    assert gsm7.plain(text) == plain


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 1), ("a" * 160, 1), ("a" * 161, 2), ("a" * 306, 2), ("a" * 307, 3), ("€" * 80, 1), ("€" * 81, 2),
        ("a" * 152 + "€" + "a" * 8, 2), ("a" * 152 + "€" + "a" * 152, 3), ("ê" * 70, 1), ("ê" * 71, 2), ("ê" * 134, 2),
        ("😀" * 35, 1), ("😀" * 36, 2), ("a" * 66 + "😀" + "ê" * 66, 3),
    ],
)  # fmt: skip
def test_segments_are_counted_as_networks_bill_them(text: str, count: int) -> None:
    assert gsm7.segments(text) == count


@given(some.text(alphabet=gsm7.BASIC.replace("\x1b", "") + "".join(gsm7.EXTENDED)))
def test_codes_read_back_as_they_were_written(text: str) -> None:
    assert gsm7.decoded(gsm7.encoded(text)) == text


@given(some.text(max_size=400))
def test_plain_writing_never_costs_much_more_and_stays_itself(text: str) -> None:
    plain = gsm7.plain(text)
    assert gsm7.plain(plain) == plain
    assert gsm7.segments(gsm7.cut(plain, 2)) <= 2


@given(some.text(max_size=300), some.text(max_size=300), some.integers(1, 3))
def test_a_message_fits_and_its_link_stays_whole(title: str, text: str, most: int) -> None:
    body, count = text_of(Short(title, text, "https://portail.ville.example/", "fr"), most)
    assert body.endswith(" https://portail.ville.example/")
    assert count == gsm7.segments(body) <= most


def test_what_explains_is_left_out_before_the_subject_is_cut() -> None:
    short = Short("Votre démarche est acceptée", "x" * 300, "https://p.example/", "fr")
    assert text_of(short, 1) == ("Votre démarche est acceptée. https://p.example/", 1)
