"""Partners: how they prove who they are, what they see, and how that ends."""

import asyncio
import base64
import json
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any

import aiohttp
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from db.ids import uuid7
from gateway.demo.city import DEMO_PARTNER, DEMO_PARTNER_SECRET
from resolvers.partners import digest as secret_digest
from tests.clockwork import run_due
from tests.conftest import Database
from tests.house import KEYS, House, opened
from tests.live import Socket
from tests.test_refusals import nobody

PARTNER = str(DEMO_PARTNER)
CREATE = """mutation ($partner: PartnerInput!) { createPartner(partner: $partner) {
    problems { code message path } clientSecret partner { id clientId name expiresAt hasKeys } } }"""
CHANGE = """mutation ($id: ID!, $to: PartnerInput!) { changePartner(partner: $id, to: $to) {
    problems { code path } partner { id scopes } } }"""
ROTATE = """mutation ($id: ID!, $hours: Int!) { rotatePartnerSecret(partner: $id, overlapHours: $hours) {
    problems { code path } clientSecret } }"""
REVOKE = "mutation ($id: ID!) { revokePartner(partner: $id) { problems { code path } partner { revokedAt } } }"
FINISH = """mutation ($task: ID!) { finishPartnerTask(task: $task) { problems { code } task { id doneAt } } }"""
PROCEDURES = "{ procedures(first: 100) { totalCount edges { node { reference status service { code } } } } }"


@dataclass(frozen=True, slots=True)
class Token:
    """An answer of the token endpoint."""

    status: int
    body: dict[str, Any]
    headers: Any

    @property
    def access(self) -> str:
        """The access token."""
        assert self.status == 200, self.body
        token: str = self.body["access_token"]
        return token


async def token(house: House, form: dict[str, str] | None = None, basic: tuple[str, str] | None = None) -> Token:
    """Ask the token endpoint; the demo's partner unless told otherwise."""
    headers = {"Authorization": aiohttp.encode_basic_auth(*basic)} if basic else None
    fields = {"grant_type": "client_credentials", **(form or {})}
    async with house.http.post(f"{house.url}/oauth/token", data=fields, headers=headers) as response:
        return Token(response.status, await response.json(), response.headers)


async def partner(house: House, **form: str) -> str:
    """Give an access token of the demo's partner."""
    return (await token(house, form, (PARTNER, DEMO_PARTNER_SECRET))).access


async def admin(house: House) -> str:
    """Give an access token of the demo's administrator."""
    return await house.sign_in("admin@mairie.example", agent=True)


async def service_id(house: House, code: str) -> str:
    """Give the global id of a service."""
    reply = await house.ask("{ procedureKinds(first: 100) { edges { node { service { id code } } } } }")
    found = {
        edge["node"]["service"]["code"]: edge["node"]["service"]["id"] for edge in reply.data["procedureKinds"]["edges"]
    }
    return str(found[code])


async def wanted(house: House, **more: Any) -> dict[str, Any]:
    """Give the input of a partner of the canteen."""
    service = await service_id(house, "cantine")
    return {
        "name": f"Partenaire {uuid7()}",
        "contactEmail": "api@partenaire.example",
        "scopes": ["PROCEDURES_READ"],
        "services": [service],
        **more,
    }


async def made(house: House, **more: Any) -> tuple[str, str, str]:
    """Make a partner; give its id, its client id and its secret."""
    payload = await house.do(CREATE, await admin(house), partner=await wanted(house, **more))
    found = payload["partner"]
    return found["id"], found["clientId"], payload["clientSecret"]


async def count(house: House, table: str) -> int:
    """Count the rows of a table."""
    found: int = await house.connection.fetchval(f"select count(*) from {table}")
    return found


async def test_client_credentials_give_a_short_token_by_basic_and_by_form(house: House) -> None:
    for form, basic in (
        ({}, (PARTNER, DEMO_PARTNER_SECRET)),
        ({"client_id": PARTNER, "client_secret": DEMO_PARTNER_SECRET}, None),
    ):
        answer = await token(house, form, basic)
        assert answer.status == 200 and answer.headers["Cache-Control"] == "no-store"
        assert answer.body["token_type"] == "Bearer" and 0 < answer.body["expires_in"] <= 600
        assert "procedures:read" in answer.body["scope"].split()
        reply = await house.ask(
            "{ viewer { id partner { clientId scopes } account { id } agent { id } } }", answer.access
        )
        assert reply.data["viewer"]["partner"]["clientId"] == PARTNER
        assert reply.data["viewer"]["account"] is None and reply.data["viewer"]["agent"] is None


async def test_a_partner_sees_submitted_procedures_of_its_services_only(house: House) -> None:
    _, family = await house.member()
    draft = await house.do(
        """mutation { startProcedure(kind: "cantine", idempotencyKey: "brouillon-1") {
            problems { code } procedure { reference } } }""",
        family,
    )
    access = await partner(house)
    reply = await house.ask(PROCEDURES, access)
    seen = [edge["node"] for edge in reply.data["procedures"]["edges"]]
    assert seen and {each["service"]["code"] for each in seen} <= {"cantine", "periscolaire", "centre-loisirs"}
    assert "DRAFT" not in {each["status"] for each in seen}
    expected = await house.connection.fetchval(
        """select count(*) from procedure p join service s on s.id = p.service_id
           where s.code = any('{cantine,periscolaire,centre-loisirs}') and submitted_at is not null"""
    )
    assert reply.data["procedures"]["totalCount"] == expected
    for reference in (
        draft["procedure"]["reference"],
        await house.connection.fetchval(
            """select reference from procedure p join service s on s.id = p.service_id
               where s.code = 'etat-civil' and submitted_at is not null limit 1"""
        ),
    ):
        reply = await house.ask("query ($r: String!) { procedure(reference: $r) { id } }", access, r=reference)
        assert reply.data["procedure"] is None


@pytest.mark.parametrize("field", ["answers", "familyName", "familyNumber", "member { id }", "messages { totalCount }"])
async def test_what_is_not_opened_to_its_scopes_is_refused(house: House, field: str) -> None:
    reply = await house.ask(f"{{ procedures(first: 1) {{ edges {{ node {{ {field} }} }} }} }}", await partner(house))
    assert set(reply.codes) == {"FORBIDDEN"}


@pytest.mark.parametrize(
    "root",
    ["families { totalCount }", "auditLog { totalCount }", "partners { totalCount }", "agentTasks { totalCount }"],
)
async def test_what_is_the_staffs_is_refused(house: House, root: str) -> None:
    reply = await house.ask(f"{{ {root} }}", await partner(house))
    assert reply.codes == ["FORBIDDEN"]


async def test_names_of_families_need_a_scope_of_their_own(house: House) -> None:
    named = "{ procedures(first: 5) { edges { node { familyName } } } }"
    _, client, secret = await made(house, scopes=["PROCEDURES_READ", "FAMILIES_NAMES"])
    with_names = (await token(house, {}, (client, secret))).access
    names = [edge["node"]["familyName"] for edge in (await house.ask(named, with_names)).data["procedures"]["edges"]]
    assert names and all(names)
    without = (await token(house, {"scope": "procedures:read"}, (client, secret))).access
    assert set((await house.ask(named, without)).codes) == {"FORBIDDEN"}


async def test_a_token_asked_for_fewer_scopes_has_no_more(house: House) -> None:
    access = await partner(house, scope="statistics:read")
    assert (await house.ask(PROCEDURES, access)).codes == ["FORBIDDEN"]
    statistics = "{ statistics(groupBy: [SERVICE]) { edges { node { submitted medianHours service { code } } } } }"
    rows = [edge["node"] for edge in (await house.ask(statistics, access)).data["statistics"]["edges"]]
    # What moved is folded into the counts: a partner sees these as well.
    await house.connection.fetchval("select fold_procedure_counts(1000)")
    folded = [edge["node"] for edge in (await house.ask(statistics, access)).data["statistics"]["edges"]]
    assert folded == rows
    assert {row["service"]["code"] for row in rows} <= {"cantine", "periscolaire", "centre-loisirs"} and rows
    refused = await token(house, {"scope": "statistics:read families:names"}, (PARTNER, DEMO_PARTNER_SECRET))
    assert (refused.status, refused.body["error"]) == (400, "invalid_scope")


async def test_information_pages_need_their_scope(house: House) -> None:
    pages = "{ pages(first: 1) { edges { node { slug } } } }"
    assert (await house.ask(pages, await partner(house, scope="pages:read"))).data["pages"]["edges"]
    assert (await house.ask(pages, await partner(house, scope="statistics:read"))).codes == ["FORBIDDEN"]


BASIC = (PARTNER, DEMO_PARTNER_SECRET)
REFUSED: list[tuple[str, dict[str, str], tuple[str, str] | None, int, str]] = [
    ("wrong secret", {}, (PARTNER, "kqs_wrong"), 401, "invalid_client"),
    ("empty secret", {}, (PARTNER, ""), 401, "invalid_client"),
    ("unknown client", {}, (str(uuid7()), DEMO_PARTNER_SECRET), 401, "invalid_client"),
    ("no client id", {}, ("moi", DEMO_PARTNER_SECRET), 401, "invalid_client"),
    ("nobody", {}, None, 401, "invalid_client"),
    ("two ways", {"client_id": PARTNER, "client_secret": DEMO_PARTNER_SECRET}, BASIC, 400, "invalid_request"),
    ("another client id", {"client_id": str(uuid7())}, BASIC, 400, "invalid_request"),
    ("another grant", {"grant_type": "password"}, BASIC, 400, "unsupported_grant_type"),
    ("no grant", {"grant_type": ""}, BASIC, 400, "invalid_request"),
    ("unknown scope", {"scope": "everything"}, BASIC, 400, "invalid_scope"),
]


@pytest.mark.parametrize(
    ("form", "basic", "status", "code"), [each[1:] for each in REFUSED], ids=[r[0] for r in REFUSED]
)
async def test_a_request_for_a_token_is_refused_as_the_standard_says(
    house: House, form: dict[str, str], basic: tuple[str, str] | None, status: int, code: str
) -> None:
    before = await count(house, "session")
    answer = await token(house, form, basic)
    assert (answer.status, answer.body["error"]) == (status, code)
    assert answer.headers["Cache-Control"] == "no-store"
    assert ("WWW-Authenticate" in answer.headers) == (status == 401 and basic is not None)
    assert await count(house, "session") == before


async def test_guesses_are_slowed_down_and_then_blocked_without_locking_the_partner_out_elsewhere(house: House) -> None:
    codes = [(await token(house, {}, (PARTNER, f"kqs_{n}"))).status for n in range(6)]
    assert codes[:3] == [401, 401, 401] and codes[-1] == 429
    blocked = await token(house, {}, BASIC)
    assert blocked.status == 429 and int(blocked.headers["Retry-After"]) > 0
    house.clock.ahead = timedelta(hours=2)
    assert (await token(house, {}, BASIC)).status == 200


async def test_a_new_secret_counts_beside_the_old_one_for_the_overlap_only(house: House) -> None:
    identity, client, old = await made(house)
    boss = await admin(house)
    new = (await house.do(ROTATE, boss, id=identity, hours=1))["clientSecret"]
    assert new != old
    for secret in (old, new):
        assert (await token(house, {}, (client, secret))).status == 200
    house.clock.ahead = timedelta(hours=1, minutes=1)
    assert (await token(house, {}, (client, old))).body["error"] == "invalid_client"
    assert (await token(house, {}, (client, new))).status == 200
    assert await house.problems(ROTATE, await admin(house), id=identity, hours=10_000) == ["BAD_USER_INPUT"]
    assert (
        await house.connection.fetchval("select count(*) from partner_secret where digest::text like $1", f"%{new}%")
        == 0
    )


async def test_a_revoked_partner_loses_its_tokens_and_its_open_socket(house: House) -> None:
    identity, client, secret = await made(house)
    access = (await token(house, {}, (client, secret))).access
    assert (await house.ask(PROCEDURES, access)).status == 200
    async with Socket(house, access) as socket:
        await house.do(REVOKE, await admin(house), id=identity)
        assert await asyncio.wait_for(socket.closed(), 3) == 4403
    assert (await house.ask(PROCEDURES, access)).codes == ["UNAUTHENTICATED"]
    assert (await token(house, {}, (client, secret))).body["error"] == "invalid_client"
    boss = await admin(house)
    assert await house.problems(ROTATE, boss, id=identity, hours=1) == ["NOT_FOUND"]
    assert await house.problems(CHANGE, boss, id=identity, to=await wanted(house)) == ["NOT_FOUND"]


async def test_an_expired_partner_is_refused_and_was_told_ahead(house: House) -> None:
    ends = house.clock() + timedelta(days=20)
    _, client, secret = await made(house, expiresAt=ends.isoformat())
    access = (await token(house, {}, (client, secret))).access
    await run_due(house, "watch_partner_expiry")
    text = await house.mail_to("api@partenaire.example", "expire")
    assert "jetons" in text or "accès" in text
    tasks = "{ partnerTasks(done: false) { edges { node { id kind partner { clientId } } } } }"
    [task] = [
        edge["node"]
        for edge in (await house.ask(tasks, await admin(house))).data["partnerTasks"]["edges"]
        if edge["node"]["partner"]["clientId"] == client
    ]
    assert task["kind"] == "PARTNER_EXPIRES"
    done = await house.do(FINISH, await admin(house), task=task["id"])
    assert done["task"]["doneAt"]
    house.clock.ahead = timedelta(days=20, seconds=5)
    assert (await house.ask(PROCEDURES, access)).codes == ["UNAUTHENTICATED"]
    assert (await token(house, {}, (client, secret))).body["error"] == "invalid_client"


async def test_a_changed_partner_must_ask_for_a_new_token(house: House) -> None:
    identity, client, secret = await made(house)
    access = (await token(house, {}, (client, secret))).access
    to = await wanted(house, scopes=["STATISTICS_READ"])
    await house.do(CHANGE, await admin(house), id=identity, to=to)
    assert (await house.ask(PROCEDURES, access)).codes == ["UNAUTHENTICATED"]
    renewed = await token(house, {}, (client, secret))
    assert renewed.body["scope"] == "statistics:read"


@pytest.mark.parametrize(
    ("more", "code", "path"),
    [
        ({"name": " "}, "BAD_USER_INPUT", ["name"]),
        ({"scopes": []}, "BAD_USER_INPUT", ["scopes"]),
        ({"networks": ["192.0.2.1/24"]}, "BAD_USER_INPUT", ["networks"]),
        ({"networks": ["partout"]}, "BAD_USER_INPUT", ["networks"]),
        ({"networks": [f"192.0.{n}.0/24" for n in range(51)]}, "BAD_USER_INPUT", ["networks"]),
        ({"expiresAt": "2020-01-01T00:00:00Z"}, "BAD_USER_INPUT", ["expiresAt"]),
        ({"expiresAt": "2999-01-01T00:00:00Z"}, "BAD_USER_INPUT", ["expiresAt"]),
        ({"jwks": "{}"}, "JWKS_NOT_VALID", ["jwks"]),
        ({"jwks": '{"keys": [{"kty": "oct", "k": "AAAA"}]}'}, "JWKS_NOT_VALID", ["jwks"]),
        ({"name": "Observatoire de l’école"}, "PARTNER_NAME_TAKEN", ["name"]),
        ({"services": ["AAAA"]}, "NOT_FOUND", ["services"]),
        ({"services": [nobody("Service")]}, "NOT_FOUND", ["services"]),
    ],
)
async def test_a_faulty_partner_is_not_made(house: House, more: dict[str, Any], code: str, path: list[str]) -> None:
    before = await count(house, "partner"), await count(house, "audit_entry")
    boss = await admin(house)
    signed_in = await count(house, "audit_entry")
    reply = await house.ask(CREATE, boss, partner=await wanted(house, **more))
    [problem] = reply.data["createPartner"]["problems"]
    assert (problem["code"], problem["path"]) == (code, path)
    assert (await count(house, "partner"), await count(house, "audit_entry")) == (before[0], signed_in)


async def test_only_an_administrator_makes_partners(house: House) -> None:
    before = await count(house, "partner")
    for access in (await house.agent(), await partner(house), None):
        reply = await house.ask(CREATE, access, partner=await wanted(house))
        assert reply.codes == ["FORBIDDEN" if access else "UNAUTHENTICATED"]
    assert await count(house, "partner") == before


async def test_a_partner_calls_from_its_networks_only(city: Database) -> None:
    """Behind a proxy that says who calls."""
    async with opened(city.dsn, server={"port": 0, "trusted_proxies": ["127.0.0.1"]}) as house:
        _, client, secret = await made(house, networks=["192.0.2.0/24", "2001:db8::/32"])
        form = {"grant_type": "client_credentials", "client_id": client, "client_secret": secret}

        async def granted(address: str) -> tuple[int, dict[str, Any]]:
            headers = {"X-Forwarded-For": address}
            async with house.http.post(f"{house.url}/oauth/token", data=form, headers=headers) as response:
                return response.status, await response.json()

        for address, status in (
            ("192.0.2.7", 200),
            ("2001:db8::1", 200),
            ("::ffff:192.0.2.9", 200),
            ("198.51.100.1", 403),
        ):
            assert (await granted(address))[0] == status, address
        access = (await granted("192.0.2.7"))[1]["access_token"]
        for address, status in (("192.0.2.8", 200), ("198.51.100.1", 403)):
            headers = {"X-Forwarded-For": address, "Authorization": f"Bearer {access}"}
            body = {"query": "{ viewer { partner { id } } }"}
            async with house.http.post(f"{house.url}/graphql", json=body, headers=headers) as response:
                assert response.status == status, address


def public(key: Any, kid: str) -> dict[str, Any]:
    """Give the public half of a key as a JSON Web Key."""
    kinds: list[tuple[type, Any]] = [
        (rsa.RSAPrivateKey, jwt.algorithms.RSAAlgorithm),
        (ec.EllipticCurvePrivateKey, jwt.algorithms.ECAlgorithm),
        (ed25519.Ed25519PrivateKey, jwt.algorithms.OKPAlgorithm),
    ]
    algorithm = next(found for kind, found in kinds if isinstance(key, kind))
    return {**json.loads(algorithm.to_jwk(key.public_key())), "kid": kid}


RSA_KEY = rsa.generate_private_key(65537, 2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
ED_KEY = ed25519.Ed25519PrivateKey.generate()
OTHER_KEY = ed25519.Ed25519PrivateKey.generate()
JWKS = json.dumps({"keys": [public(RSA_KEY, "r"), public(EC_KEY, "e"), public(ED_KEY, "d")]})


def assertion(
    house: House, client: str, key: Any = ED_KEY, kid: str = "d", algorithm: str = "EdDSA", **claims: Any
) -> dict[str, str]:
    """Give the form of a signed assertion; None leaves a claim out."""
    now = int(house.clock().timestamp())
    made = {
        "iss": client, "sub": client, "aud": f"{house.settings.server.url}/oauth/token",
        "exp": now + 60, "iat": now, "jti": str(uuid7()), **claims,
    }  # fmt: skip
    signed = jwt.encode({k: v for k, v in made.items() if v is not None}, key, algorithm, headers={"kid": kid})
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    return {"client_assertion_type": kind, "client_assertion": signed}


async def test_a_signed_assertion_gives_a_token_once(house: House) -> None:
    _, client, secret = await made(house, jwks=JWKS)
    assert not secret
    for key, kid, algorithm in (
        (ED_KEY, "d", "EdDSA"),
        (EC_KEY, "e", "ES256"),
        (RSA_KEY, "r", "PS256"),
        (RSA_KEY, "r", "RS256"),
    ):
        form = assertion(house, client, key, kid, algorithm)
        assert (await token(house, form)).status == 200, algorithm
        again = await token(house, form)
        assert (again.status, again.body["error"]) == (401, "invalid_client"), "an assertion counts once"


@pytest.mark.parametrize(
    "fault",
    [
        {"key": OTHER_KEY},
        {"kid": "unknown"},
        {"aud": "https://elsewhere.example"},
        {"iss": "somebody"},
        {"sub": str(uuid7())},
        {"exp": 1},
        {"exp": 9_999_999_999},
        {"exp": None},
        {"jti": None},
        {"nbf": 9_999_999_999},
    ],
    ids=("key", "kid", "aud", "iss", "sub", "exp past", "exp far", "exp none", "jti", "nbf"),
)
async def test_an_assertion_with_a_fault_gives_nothing(house: House, fault: dict[str, Any]) -> None:
    _, client, _ = await made(house, jwks=JWKS)
    before = await count(house, "session")
    answer = await token(house, assertion(house, client, **fault))
    assert (answer.status, answer.body["error"]) == (401, "invalid_client")
    assert await count(house, "session") == before


async def test_an_assertion_for_a_partner_of_secrets_gives_nothing(house: House) -> None:
    _, client, _ = await made(house)
    before = await count(house, "session")
    answer = await token(house, assertion(house, client))
    assert (answer.status, answer.body["error"]) == (401, "invalid_client")
    assert await count(house, "session") == before


async def test_an_unsigned_assertion_and_one_signed_with_the_public_key_give_nothing(house: House) -> None:
    _, client, _ = await made(house, jwks=JWKS)
    form = assertion(house, client)
    header, body, _ = form["client_assertion"].split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none","kid":"d"}').rstrip(b"=").decode()
    symmetric = assertion(house, client, public(ED_KEY, "d")["x"], "d", "HS256")["client_assertion"]
    for text in (f"{none}.{body}.", f"{header}.{body}.", symmetric):
        assert (await token(house, {**form, "client_assertion": text})).body["error"] == "invalid_client"


async def test_in_production_only_a_partner_that_explores_sends_free_documents(city: Database) -> None:
    async with opened(
        city.dsn,
        server={"port": 0, "production": True},
        limits={"throttle": False},
        agents={"second_factor": "optional"},
    ) as house:
        form = {"grant_type": "client_credentials", "client_id": PARTNER, "client_secret": DEMO_PARTNER_SECRET}
        for scope, status in (("explore procedures:read", 200), ("procedures:read", 403)):
            async with house.http.post(f"{house.url}/oauth/token", data={**form, "scope": scope}) as response:
                access = (await response.json())["access_token"]
            reply = await house.ask("{ procedures(first: 1) { edges { node { reference } } } }", access)
            assert reply.status == status
        assert (await house.ask("{ serviceStatus { __typename } }")).codes == ["FORBIDDEN"]


async def test_a_partner_registers_documents_for_itself_only(city: Database) -> None:
    async with opened(city.dsn, server={"port": 0, "production": True}, agents={"second_factor": "optional"}) as house:
        access = await partner(house, scope="procedures:read")
        text = "query Attente { procedures(first: 3) { totalCount } }"
        digest = sha256(text.encode()).hexdigest()
        manifest = {digest: text}
        asked = {"documentId": f"sha256:{digest}"}

        async def put(body: Any, bearer: str | None) -> tuple[int, Any]:
            headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
            async with house.http.post(f"{house.url}/partner/documents", json=body, headers=headers) as response:
                return response.status, await response.json()

        async def called(bearer: str) -> list[str]:
            headers = {"Authorization": f"Bearer {bearer}"}
            async with house.http.post(f"{house.url}/graphql", json=asked, headers=headers) as response:
                body = await response.json()
                return [error["extensions"]["code"] for error in body.get("errors", [])]

        assert await called(access) == ["PERSISTED_QUERY_NOT_FOUND"]
        for body, bearer, status in (
            (manifest, None, 401),
            ({digest: "query { other }"}, access, 400),
            ({sha256(b"{ nothing }").hexdigest(): "{ nothing }"}, access, 400),
            ([], access, 400),
        ):
            assert (await put(body, bearer))[0] == status
        assert await count(house, "registered_document") == 0
        assert (await put(manifest, access))[1]["new"] == 1
        async with asyncio.timeout(10):
            while await called(access):
                await asyncio.sleep(0.05)
        other = await house.connection.fetchval(
            """insert into partner (id, name, contact_email, language, scopes, services, created_by, created_at,
                   expires_at)
               select gen_random_uuid(), 'Autre', 'a@b.example', 'fr', scopes, services, created_by, created_at,
                   expires_at
               from partner returning id"""
        )
        await house.connection.execute(
            "insert into partner_secret select $1, gen_random_uuid(), $2, 'abcd', now()",
            other,
            secret_digest(KEYS, other, "kqs_other"),
        )
        stranger = (await token(house, {"scope": "procedures:read"}, (str(other), "kqs_other"))).access
        assert await called(stranger) == ["PERSISTED_QUERY_NOT_FOUND"]
