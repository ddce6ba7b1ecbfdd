"""What people entrust to the portal leaves no trace: not in logs, answers, figures, nor in the files of the database.

The portal runs as its operators run it, with asyncio's own debugging on; everything that it and the database write is
searched byte by byte, the journal included.
"""

import asyncio
import json
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.house import PASSWORD, SIGN_IN, Made, token_in
from tests.program import Whole, whole
from tests.test_accounts import ACTIVATE, REFRESH, VERIFY

CANARY = "Canari-Jaune!7351zq"
"""A password that the policy allows, and that nobody else has."""

NAME = CANARY.replace("-", "_").replace("!", "_")
"""The same where only a name may stand."""

EMAIL = "pinson.4482@volieres.example"
STATES = "select coalesce(string_agg(query, ' '), '') from pg_stat_activity where pid <> pg_backend_pid()"


@dataclass(slots=True)
class Visit:
    """Somebody who types a password everywhere, and keeps every answer."""

    whole: Whole
    answers: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    """What the database said it was doing meanwhile."""

    async def send(self, method: str = "POST", path: str = "/graphql", **request: Any) -> None:
        """Send one request of any form; keep the whole answer."""
        house = self.whole.house
        async with house.http.request(method, f"{house.url}{path}", **request) as answer:
            self.answers.append(f"{answer.status} {answer.headers} {await answer.text()}")
        self.seen.append(await house.connection.fetchval(STATES))

    async def ask(self, query: str, headers: Mapping[str, str] | None = None, **variables: Any) -> None:
        """Send one operation."""
        await self.send(json={"query": query, "variables": variables}, headers=headers)

    async def say(self, *messages: Any) -> None:
        """Send messages over a socket; keep what comes back."""
        house = self.whole.house
        url = house.url.replace("http", "ws") + "/graphql"
        async with house.http.ws_connect(url, protocols=["graphql-transport-ws"]) as socket:
            for message in messages:
                await socket.send_str(message if isinstance(message, str) else json.dumps(message))
                told = await socket.receive(timeout=10)
                self.answers.append(f"{told.data} {told.extra} {socket.close_code}")


async def places(visit: Visit) -> None:
    """Put the password wherever a client could put it, rightly or by mistake."""
    literal = f'mutation {{ signIn(identifier: "{EMAIL}", password: "{CANARY}") {{ problems {{ code }} }} }}'
    given: dict[str, Any] = {"identifier": EMAIL, "password": CANARY, "as_": "FAMILY"}
    await visit.ask(literal)
    await visit.ask(SIGN_IN, **given)
    await visit.send("GET", params={"query": "{ viewer { id } }", "variables": json.dumps(given)})
    await visit.send("GET", params={"query": literal})
    await visit.send("GET", f"/{CANARY}", params={"password": CANARY, "email": EMAIL})
    await visit.send("GET", f"/graphql/{CANARY}?{CANARY}")
    for name in ("Authorization", "X-Portal-Client", "X-Password", "Cookie", "Origin", "Accept", "Accept-Language"):
        value = {"Authorization": f"Bearer {CANARY}", "Cookie": f"p={CANARY}", "Accept": f"a/{CANARY}"}.get(
            name, CANARY
        )
        await visit.ask("{ viewer { id } }", {name: value})
    await visit.ask("{ viewer { id } }", {"Authorization": f"Basic {CANARY}"})
    for body in (
        f'{{"query": "{CANARY}',
        f'{{"{CANARY}": 1',
        f'{{"query": "{literal}"}}',
        f"\0{CANARY}",
        f'"{CANARY}"',
    ):
        await visit.send(data=body, headers={"Content-Type": "application/json"})
    await visit.send(data=f"password={CANARY}", headers={"Content-Type": "application/x-www-form-urlencoded"})
    await visit.send(data=literal, headers={"Content-Type": f"application/json; charset={NAME}"})


async def faulty_documents(visit: Visit) -> None:
    """Put it into documents and variables that are refused."""
    for document in (
        f"{{ {NAME} }}",
        f'{{ viewer {{ id(password: "{CANARY}") }} }}',
        f'mutation {{ signIn(identifier: 1, password: "{CANARY}") {{ problems {{ code }} }} }}',
        f'mutation {{ signIn(identifier: "x", password: {{ a: "{CANARY}" }}) {{ problems {{ code }} }} }}',
        f'mutation {{ signIn(identifier: "x", password: "{CANARY}", signInAs: "{CANARY}") {{ problems {{ code }} }} }}',
        f'mutation {{ signIn(identifier: "x", password: "{CANARY}") {{ problems {{ code ',
        f'mutation {{ signIn(identifier: "x" "{CANARY}", password: "x") {{ problems {{ code }} }} }}',
        f'mutation {{ "{CANARY}" }}',
        f'mutation {{ """{CANARY}""" }}',
        f'query ($a: Date = "{CANARY}") {{ viewer {{ id }} }}',
        f'mutation {{ signIn(identifier: "x", password: "{CANARY}" {{ problems }} }}',
        f'mutation {{ signIn(identifier: "x", password: "{CANARY}\n") {{ problems {{ code }} }} }}',
        f'query ($a: String = "{CANARY}", $b: Int = "{CANARY}") {{ viewer {{ id }} }}',
        f'{{ procedures(first: "{CANARY}") {{ totalCount }} node(id: "{CANARY}") {{ id }} }}',
        f'{{ procedures(after: "{CANARY}", first: 3) {{ totalCount }} }}',
    ):
        await visit.ask(document)
    for wrong in ([CANARY], {"a": CANARY}, {CANARY: 1}):
        await visit.ask(SIGN_IN, identifier="x", password=wrong, as_="FAMILY")
    await visit.ask(SIGN_IN, identifier="x", password=CANARY, as_=CANARY)
    await visit.send(json={"query": "{ viewer { id } }", "variables": CANARY})
    await visit.send(json={"query": 7, "variables": {"password": CANARY}, "operationName": [CANARY]})
    await visit.send(json={"query": "{ viewer { id } }", "extensions": {"persistedQuery": {"sha256Hash": CANARY}}})


async def sockets(visit: Visit) -> None:
    """Say it over sockets: in every message, whole and broken."""
    init = {"type": "connection_init"}
    await visit.say({"type": "connection_init", "payload": {"authorization": f"Bearer {CANARY}"}})
    await visit.say({"type": "connection_init", "payload": {"password": CANARY}}, f'{{"type": "{CANARY}"')
    await visit.say(init, {"type": CANARY})
    query = f'mutation {{ signIn(identifier: "{EMAIL}", password: "{CANARY}") {{ problems {{ code }} }} }}'
    await visit.say(init, {"type": "subscribe", "id": "1", "payload": {"query": query}})
    variables = {"identifier": EMAIL, "password": {"a": CANARY}, "as_": "FAMILY"}
    await visit.say(init, {"type": "subscribe", "id": "1", "payload": {"query": SIGN_IN, "variables": variables}})


async def our_faults(visit: Visit) -> None:
    """Sign in and activate while the database refuses, and while it is away."""
    house = visit.whole.house
    family = await house.make_family()
    given: dict[str, Any] = {"identifier": EMAIL, "password": CANARY, "as_": "FAMILY"}
    opening: dict[str, Any] = {"number": family.number, "code": family.code, "email": f"x{EMAIL}", "password": CANARY}
    for spoil, mend in (
        ("alter table throttle rename to elsewhere", "alter table elsewhere rename to throttle"),
        (
            "alter table account add constraint never check (false) not valid",
            "alter table account drop constraint never",
        ),
        (
            "alter table session add constraint never check (false) not valid",
            "alter table session drop constraint never",
        ),
    ):
        await house.connection.execute(spoil)
        await visit.ask(SIGN_IN, **given)
        await visit.ask(ACTIVATE, **opening)
        await house.connection.execute(mend)
    assert any('"INTERNAL"' in answer for answer in visit.answers)


async def away(visit: Visit) -> None:
    """Sign in while the database server starts again."""
    house = visit.whole.house
    os.kill(visit.whole.postmaster(), signal.SIGKILL)
    given: dict[str, Any] = {"identifier": EMAIL, "password": CANARY, "as_": "FAMILY"}
    for _ in range(5):
        async with house.http.post(f"{house.url}/graphql", json={"query": SIGN_IN, "variables": given}) as answer:
            visit.answers.append(await answer.text())
    async with asyncio.timeout(60):
        while (await house.ask("{ terms { version } }")).status != 200:
            await asyncio.sleep(0.1)


async def life(visit: Visit) -> tuple[Made, list[str]]:
    """Open an account with the password, verify, sign in, refresh; give every secret that was held on the way."""
    house = visit.whole.house
    family = await house.make_family()
    await house.do(ACTIVATE, number=family.number, code=family.code, email=EMAIL, password=CANARY)
    link = token_in(await house.mail_to(EMAIL, "verify-email", 60))
    await house.do(VERIFY, token=link)
    session = (await house.do(SIGN_IN, identifier=EMAIL, password=CANARY, as_="FAMILY"))["session"]
    fresh = (await house.do(REFRESH, token=session["refreshToken"]))["session"]
    tokens = [each[name] for each in (session, fresh) for name in ("accessToken", "refreshToken")]
    return family, [CANARY, NAME, family.code, family.code.replace("-", ""), link, *tokens]


def searched(texts: Mapping[str, str | bytes], words: list[str]) -> list[tuple[str, str, str]]:
    """Give where which word stands, and beside what."""
    found = []
    for place, text in texts.items():
        raw = text.encode(errors="surrogateescape") if isinstance(text, str) else text
        for word in words:
            at = raw.find(word.encode())
            if at >= 0:
                found.append((place, word, repr(raw[max(at - 80, 0) : at + 40])))
    return found


async def test_what_is_entrusted_to_the_portal_leaves_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONASYNCIODEBUG", "1")
    monkeypatch.setenv("PYTHONDEVMODE", "1")
    async with whole() as running:
        visit = Visit(running)
        _, secrets = await life(visit)
        for part in (places, faulty_documents, sockets, our_faults):
            await part(visit)
        house = running.house
        metrics = await (await house.http.get(f"{house.url}/metrics")).text()
        await house.connection.execute("checkpoint")
        files = _files(running.server.folder)
        await away(visit)
        written = {"log of the portal": running.serve.said(), "metrics": metrics}
        written["log of the database"] = running.server.cluster.log.read_text(errors="surrogateescape")
        written |= {f"pg_stat_activity {place}": text for place, text in enumerate(visit.seen)}
        running.serve.send(signal.SIGTERM)
        await running.serve.ended()
    assert any("pg_wal" in name for name in files) and len(files) > 500
    assert "check constraint" in written["log of the database"] and "request_failed" in written["log of the portal"]
    assert searched(written, [*secrets, EMAIL, PASSWORD]) == []
    assert searched(dict(files), secrets) == []
    answers = {f"answer {place}": text for place, text in enumerate(visit.answers)}
    assert len(answers) > 50
    assert searched(answers, [CANARY]) == []


def _files(folder: Path) -> dict[str, bytes]:
    """Give all that lies in the data folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
