"""Help (R40): the help desk is in the API, and in refusals that a family cannot mend alone."""

import pytest

from db.settings import City
from resolvers.problems import NEED_HELP
from resolvers.sentences import SENTENCES
from tests.conftest import Database
from tests.house import SIGN_IN, House, opened

CONTACT = "{ contact { city phone email hours } }"
ACTIVATE = """mutation ($password: String!) { activateAccount(familyNumber: "1", activationCode: "2",
    email: "famille@example.org", password: $password) { problems { code message } } }"""
HERE = {"name": "Ville d’Ici", "contact_phone": "05 11 22 33 44", "contact_email": "aide@ici.example"}


async def message(house: House, mutation: str, language: str, /, **variables: str) -> tuple[str, str]:
    """Send one mutation as somebody who has not signed in; give code and sentence of its problem."""
    body = {"query": mutation, "variables": variables}
    headers = {"Accept-Language": language}
    async with house.http.post(f"{house.url}/graphql", json=body, headers=headers) as response:
        payload = next(iter((await response.json())["data"].values()))
    problem = payload["problems"][0]
    return problem["code"], problem["message"]


async def test_the_contact_is_read_by_everybody_in_their_language(city: Database) -> None:
    async with opened(city.dsn, city=HERE) as house:
        _, family = await house.member(accepts_terms=False)
        for token in (None, family, await house.agent()):
            contact = (await house.ask(CONTACT, token)).data["contact"]
            assert contact == {
                "city": HERE["name"],
                "phone": HERE["contact_phone"],
                "email": HERE["contact_email"],
                "hours": City().contact_hours,
            }
        async with house.http.post(
            f"{house.url}/graphql", json={"query": CONTACT}, headers={"Accept-Language": "en"}
        ) as response:
            assert (await response.json())["data"]["contact"]["hours"] == City().contact_hours_en


@pytest.mark.parametrize(("language", "question"), [("fr", "Besoin d’aide\N{NO-BREAK SPACE}?"), ("en", "Need help?")])
async def test_a_refusal_that_a_family_cannot_mend_alone_says_who_helps(
    city: Database, language: str, question: str
) -> None:
    async with opened(city.dsn, city=HERE) as house:
        refused = [await message(house, ACTIVATE, language, password="Marronnier-47")]
        verify = 'mutation { verifyEmail(token: "x") { problems { code message } } }'
        refused.append(await message(house, verify, language))
        for _ in range(6):
            sign_in = {"identifier": "personne@example.org", "password": "Autre-Chose-1", "as_": "FAMILY"}
            last = await message(house, SIGN_IN, language, **sign_in)
        refused.append(last)
    assert [code for code, _ in refused] == ["ACTIVATION_REFUSED", "LINK_NOT_VALID", "THROTTLED"]
    for _, sentence in refused:
        assert sentence.endswith(f"{question} {HERE['contact_phone']}, {HERE['contact_email']}.")


async def test_a_refusal_that_says_itself_what_to_do_does_not(house: House) -> None:
    code, sentence = await message(house, ACTIVATE, "fr", password="x")
    assert code.startswith("PASSWORD_") and house.settings.city.contact_phone not in sentence


def test_every_code_that_needs_help_is_one_that_can_be_refused() -> None:
    assert set(SENTENCES) >= NEED_HELP
