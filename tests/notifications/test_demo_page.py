"""The page that shows what the mail catcher caught."""

from email.message import EmailMessage
from email.policy import SMTP

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from aiosmtplib import send
from graphql import is_required_argument

import schema
from gateway.demo.links import LINK_PAGES
from gateway.demo.page import routes
from gateway.demo.smtp import Catcher
from notifications.links import LINKS

Client = TestClient[web.Request, web.Application]


def letter(subject: str, html: str = "<p>Bonjour</p>") -> EmailMessage:
    """Make an e-mail as any program would."""
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Subject"] = "a@ville.example", "martin@exemple.fr", subject
    message.set_content("Bonjour")
    message.add_alternative(html, subtype="html")
    return message


@pytest.fixture
async def client(catcher: Catcher) -> Client:
    """A browser."""
    app = web.Application()
    app.add_routes(routes(catcher))
    client = TestClient(TestServer(app))
    await client.start_server()
    return client


async def test_messages_are_listed_newest_first_and_shown_whole(client: Client, catcher: Catcher) -> None:
    for subject in ("Premier", "Second <b>"):
        await send(letter(subject), hostname="127.0.0.1", port=catcher.port, start_tls=False)
    page = await (await client.get("/demo/")).text()
    assert page.index("Second &lt;b&gt;") < page.index("Premier")
    listed = (await (await client.get("/demo/messages.json")).json())["messages"]
    assert [each["subject"] for each in listed] == ["Second <b>", "Premier"]
    assert (listed[0]["to"], listed[0]["text"].strip()) == ("martin@exemple.fr", "Bonjour")
    one = await (await client.get(f"/demo/messages/{listed[0]['id']}")).text()
    assert "sandbox=" in one and "Subject" in one
    assert (await client.get("/demo/messages/99")).status == 404
    await client.close()


async def test_a_message_runs_nothing_in_the_frame(client: Client, catcher: Catcher) -> None:
    await send(letter("x", "<script>alert(1)</script>"), hostname="127.0.0.1", port=catcher.port, start_tls=False)
    answer = await client.get("/demo/messages/1/html")
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox ") and "allow-scripts" not in policy and "default-src 'none'" in policy
    await client.close()


@pytest.mark.parametrize("path", ["/demo/", *(f"/demo/{name}?token=x" for name in LINK_PAGES)])
async def test_pages_allow_only_their_own_files(client: Client, path: str) -> None:
    answer = await client.get(path)
    page = await answer.text()
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "<html lang=" in page and "<main>" in page and page.count("<h1>") == 1
    for asset in ("/demo/demo.css", "/demo/link.js"):
        assert (await client.get(asset)).status == 200
    await client.close()


def test_every_link_of_a_message_opens_a_page_whose_buttons_the_api_knows() -> None:
    """A link that the family's web app opens; archives are downloaded instead."""
    linked = {link.path.removeprefix("/") for link in LINKS.values() if "{" not in link.path}
    assert linked == set(LINK_PAGES)
    mutation = schema.build().graphql.mutation_type
    assert mutation is not None
    for page in LINK_PAGES.values():
        for action in page.actions:
            arguments = mutation.fields[action.mutation].args
            needed = {name for name, argument in arguments.items() if is_required_argument(argument)}
            assert needed <= {"token", *(["password"] if page.password else [])} <= set(arguments)
