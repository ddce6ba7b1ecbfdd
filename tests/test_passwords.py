"""Passwords: what may be one, what clients are told of it, how it is changed."""

import unicodedata
from datetime import date

import pytest

from gateway.demo.city import DEMO_PASSWORD
from resolvers import password_words
from resolvers.password_policy import common, faults
from tests.house import House

FAMILY = {
    *password_words.of_texts(["Famille Le Goff", "Léa", "Maëlys", "Pessac", "jean.dupont33@example.org"]),
    *password_words.of_date(date(2015, 7, 4)),
    "5000123",
}


@pytest.mark.parametrize(
    "password",
    [DEMO_PASSWORD, "Chat-Lune-7", "Tr0ub4dor&3", "cheval Lampe 42", "Été Dragée 9", "xK9mari2", "9hT!qL2zVb"],
)
def test_a_password_that_nobody_would_try_first_is_allowed(password: str) -> None:
    assert faults(password, personal=FAMILY) == []


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("xK9-vLq", "PASSWORD_TOO_SHORT"),
        ("xK9-vLq" * 4, "PASSWORD_TOO_LONG"),
        ("x" * 60_000, "PASSWORD_TOO_LONG"),
        ("lampebleuecheval", "PASSWORD_TOO_SIMPLE"),
        ("LAMPEBLEUE48159263", "PASSWORD_TOO_SIMPLE"),
        ("", "PASSWORD_TOO_SHORT"),
    ],
)
def test_a_password_is_long_enough_and_mixed(password: str, code: str) -> None:
    assert code in faults(password)


@pytest.mark.parametrize(
    "password",
    [
        *("Password1", "P@ssw0rd!", "Azerty123!", "4zerty123!", "Marseille13", "Soleil-2024", "M0t-de-passe1"),
        *(
            "123456Aa",
            "Abcd1234!",
            "Aa1!Aa1!",
            "Qsdfgh12!",
            "Printemps2026!",
            "Kiosque-33",
            "Girondins33",
            "Élodie-2015",
        ),
        *("BONJOUR-1a", "Ytreza-321", "Doudou.12"),
    ],
)
def test_a_common_password_is_refused_however_it_is_dressed_up(password: str) -> None:
    assert faults(password) == ["PASSWORD_TOO_COMMON"]


@pytest.mark.parametrize(
    "password",
    [
        *("Lea-chat-2015x", "M4elys-vole-9", "LeGoff-bleu-9", "le.Goff-bleu-9", "dup0nt-Vert-9", "Vert-PESSAC-9"),
        *("Rvqh04072015", "Rvqh-04/07/15", "Rvqh-4-07-2015", "Rvqh20150704", "Rvqh4juillet!", "Rv-5000123"),
    ],
)
def test_a_password_of_own_names_dates_and_numbers_is_refused(password: str) -> None:
    assert "PASSWORD_PERSONAL" in faults(password, personal=FAMILY)


def test_a_short_name_counts_only_where_it_stands_alone() -> None:
    assert faults("Oleander-55x", personal=FAMILY) == []


def test_letters_of_every_script_count_and_one_spelling_is_as_good_as_the_other() -> None:
    apart = unicodedata.normalize("NFD", "Éclùsé-x9")
    assert faults(apart) == faults("Éclùsé-x9") == []
    assert faults("ждиЯЛ-юл7") == []


def test_the_list_of_common_passwords_is_whole_and_of_use() -> None:
    assert len(common()) > 50_000
    assert all(4 <= len(entry) <= 25 for entry in common())


async def test_the_policy_can_be_read_by_everybody_in_both_languages(house: House) -> None:
    query = "{ passwordPolicy { shortest longest kindsNeeded kinds sentence } }"
    policy = (await house.ask(query)).data["passwordPolicy"]
    kinds = ["LOWER", "UPPER", "DIGIT", "SPECIAL"]
    sentence = policy.pop("sentence")
    assert policy == {"shortest": 8, "longest": 25, "kindsNeeded": 3, "kinds": kinds}
    assert sentence.startswith("De 8 à 25 caractères")
    headers = {"Accept-Language": "en"}
    async with house.http.post(f"{house.url}/graphql", json={"query": query}, headers=headers) as response:
        assert (await response.json())["data"]["passwordPolicy"]["sentence"].startswith("8 to 25 characters")
