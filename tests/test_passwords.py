"""Passwords: what may be one, what clients are told of it, how it is changed."""

import asyncio
import unicodedata
from datetime import date

import pytest

from gateway.demo.city import DEMO_PASSWORD
from resolvers import password_words
from resolvers.password_policy import common, faults
from tests.house import PASSWORD, SIGN_IN, House, Made
from tests.live import Socket

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
    assert sentence.startswith("De 8\N{NO-BREAK SPACE}à 25\N{NO-BREAK SPACE}caractères")
    headers = {"Accept-Language": "en"}
    async with house.http.post(f"{house.url}/graphql", json={"query": query}, headers=headers) as response:
        assert (await response.json())["data"]["passwordPolicy"]["sentence"].startswith("8 to 25 characters")


NEW = "Cheval-Lampe-42"
CHANGE = """mutation ($current: String!, $new: String!, $others: Boolean!) {
    changePassword(currentPassword: $current, newPassword: $new, signOutOthers: $others) { problems { code path } } }"""


async def test_a_changed_password_counts_at_once_and_ends_the_other_sessions(house: House) -> None:
    family, token = await house.member()
    other = await house.sign_in(family.email)
    async with Socket(house, other) as socket:
        await socket.subscribe("1", "subscription { news { cursor } }")
        await house.do(CHANGE, token, current=PASSWORD, new=NEW, others=True)
        async with asyncio.timeout(2):
            assert await socket.closed() == 4403
    assert (await house.ask("{ viewer { id } }", other)).codes == ["UNAUTHENTICATED"]
    assert (await house.ask("{ viewer { family { number } } }", token)).data["viewer"]["family"]
    signs_in = {"identifier": family.email, "as_": "FAMILY"}
    assert await house.problems(SIGN_IN, password=PASSWORD, **signs_in) == ["BAD_CREDENTIALS"]
    assert await house.problems(SIGN_IN, password=NEW, **signs_in) == []
    assert "report-unauthorized-use" in await house.mail_to(family.email, "mot de passe a été changé")
    assert "password_changed" in await acts(house, family)


async def test_other_sessions_stay_when_that_is_wanted(house: House) -> None:
    family, token = await house.member()
    other = await house.sign_in(family.email)
    await house.do(CHANGE, token, current=PASSWORD, new=NEW, others=False)
    assert (await house.ask("{ viewer { family { number } } }", other)).data["viewer"]["family"]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"current": "Mauvais-Mot-1"}, "PASSWORD_WRONG"),
        ({"new": "court-1A"[:7]}, "PASSWORD_TOO_SHORT"),
        ({"new": "Marseille13"}, "PASSWORD_TOO_COMMON"),
        ({"new": "Rvqh-essai-9x"}, "PASSWORD_PERSONAL"),
    ],
)
async def test_a_refused_change_of_password_changes_nothing(house: House, changed: dict[str, str], code: str) -> None:
    family, token = await house.member()
    other = await house.sign_in(family.email)
    given = {"current": PASSWORD, "new": NEW, "others": True} | changed
    assert code in await house.problems(CHANGE, token, **given)
    assert (await house.ask("{ viewer { family { number } } }", other)).data["viewer"]["family"]
    assert await house.sign_in(family.email)


async def test_guesses_at_the_present_password_are_slowed_down_like_those_at_sign_in(house: House) -> None:
    family, token = await house.member()
    given = {"new": NEW, "others": True}
    told = await asyncio.gather(*(house.problems(CHANGE, token, current="Mauvais-Mot-1", **given) for _ in range(12)))
    assert told.count(["PASSWORD_WRONG"]) <= 4
    assert await house.problems(CHANGE, token, current=PASSWORD, **given) == ["THROTTLED"]
    assert await house.sign_in(family.email), "sign-in is counted apart: nobody locks the owner out by a stolen session"


async def test_a_password_typed_on_another_keyboard_is_the_same(house: House) -> None:
    family, token = await house.member()
    composed = unicodedata.normalize("NFC", "Château-Lampé-42")
    await house.do(CHANGE, token, current=PASSWORD, new=composed, others=True)
    apart = unicodedata.normalize("NFD", composed)
    assert apart != composed
    assert await house.problems(SIGN_IN, identifier=family.email, password=apart, as_="FAMILY") == []


async def test_agents_and_strangers_change_no_password_of_a_family(house: House) -> None:
    given = {"current": PASSWORD, "new": NEW, "others": True}
    assert (await house.ask(CHANGE, None, **given)).codes == ["UNAUTHENTICATED"]
    assert (await house.ask(CHANGE, await house.agent(), **given)).codes == ["FORBIDDEN"]


async def acts(house: House, family: Made) -> list[str]:
    """Give what the audit log says of a family."""
    rows = await house.connection.fetch("select act from audit_entry where family_id = $1", family.id)
    return [row["act"] for row in rows]
