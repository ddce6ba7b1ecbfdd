"""The web app signs in with cookies that no script can read and that no other site can use."""

from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from tests.browser import SIGN_IN, Browser
from tests.conftest import Database
from tests.house import PASSWORD, House, opened
from tests.live import PATIENCE, Socket

WHO = "{ viewer { family { number } } }"
REFRESH = "mutation { refreshSession { problems { code } session { accessToken refreshToken } } }"
SIGN_OUT = "mutation { signOut { problems { code } } }"
EVERYWHERE = "mutation { signOutEverywhere { problems { code } } }"
FOLLOW = 'subscription { news(topics: [MAINTENANCE], after: "0") { cursor } }'
"""From the beginning: what is told while a stream is being opened counts too."""

TOKENS = """mutation ($identifier: String!, $password: String!) {
    signIn(identifier: $identifier, password: $password) { problems { code } session { accessToken } } }"""


def number_in(data: Any) -> str | None:
    family = data["viewer"]["family"]
    return family["number"] if family else None


async def sessions_of(house: House, family_id: object) -> int:
    live = "select count(*) from session where family_id = $1 and ended_at is null"
    count: int = await house.connection.fetchval(live, family_id)
    return count


async def test_signing_in_with_cookies_leaves_no_token_where_a_script_could_read_it(city: Database) -> None:
    async with opened(city.dsn, server={"port": 0, "public_url": "https://portail.example"}) as house:
        family, _ = await house.member()
        browser = Browser(house)
        session = await browser.sign_in(family.email)
        assert session["id"] and session["expiresAt"]
        assert [session[name] for name in ("accessToken", "refreshToken", "deviceToken")] == [None] * 3
        days = {"access": 10 / 1440, "refresh": 14, "device": 400}
        assert set(browser.cookies) == {f"__Host-kiosque-{role}" for role in days}
        for role, lasts in days.items():
            cookie = browser.named(role)
            assert cookie["httponly"] and cookie["secure"] and not cookie["domain"], role
            assert (cookie["samesite"], cookie["path"]) == ("Lax", "/"), role
            assert abs(int(cookie["max-age"]) - timedelta(days=lasts).total_seconds()) <= 10, role
        assert number_in((await browser.ask(WHO)).data) == family.number


async def test_in_development_without_tls_browsers_accept_the_cookies_all_the_same(house: House) -> None:
    family, _ = await house.member()
    browser = Browser(house)
    await browser.sign_in(family.email)
    assert set(browser.cookies) == {"kiosque-access", "kiosque-refresh", "kiosque-device"}
    assert all(cookie["httponly"] and not cookie["secure"] for cookie in browser.cookies.values())
    assert number_in((await browser.ask(WHO)).data) == family.number


async def test_a_cookie_opens_sockets_and_streams_of_events(house: House) -> None:
    family, token = await house.member()
    browser = Browser(house)
    await browser.sign_in(family.email)
    send_test = "mutation { sendTestNotification(topic: MAINTENANCE) { problems { code } } }"
    async with Socket(house, None, {"Origin": house.url, "Cookie": browser.header}) as socket:
        await socket.subscribe("1", FOLLOW)
        await socket.subscribe("2", WHO)
        assert number_in(await socket.next("2")) == family.number
        headers = {"X-Portal-Client": "web", "Cookie": browser.header, "Accept": "text/event-stream"}
        body = {"query": FOLLOW}
        async with house.http.post(f"{house.url}/graphql", json=body, headers=headers) as stream:
            await house.do(send_test, token)
            assert (await socket.next("1"))["news"]["cursor"]
            line = b""
            while not line.startswith(b"data: {"):
                line = await stream.content.readline()
            assert b'"cursor"' in line
            await browser.do(SIGN_OUT)
            assert await socket.closed() == 4403
            assert b"Session ended" in await stream.content.read()


@pytest.mark.parametrize("header", ["X-Portal-Client", ""])
async def test_a_request_with_cookies_needs_the_header_that_no_foreign_form_can_set(house: House, header: str) -> None:
    family, _ = await house.member()
    browser = Browser(house)
    await browser.sign_in(family.email)
    before = await sessions_of(house, family.id)
    without = {"X-Portal-Client": ""} if header else {"X-Portal-Client": "", "Upgrade": "websocket"}
    for query in (SIGN_OUT, REFRESH, WHO):
        assert (await browser.ask(query, without)).codes == ["FORBIDDEN"]
    assert await sessions_of(house, family.id) == before


async def test_the_refresh_cookie_is_exchanged_for_new_cookies(house: House) -> None:
    family, _ = await house.member()
    browser = Browser(house)
    await browser.sign_in(family.email)
    before = {role: browser.named(role).value for role in ("access", "refresh")}
    house.clock.ahead += timedelta(minutes=11)
    browser.forget("access")
    payload = await browser.do(REFRESH)
    assert payload["session"] == {"accessToken": None, "refreshToken": None}
    assert all(browser.named(role).value != before[role] for role in before)
    assert number_in((await browser.ask(WHO)).data) == family.number


async def test_a_refused_refresh_drops_the_cookies(house: House) -> None:
    family, _ = await house.member()
    browser, thief = Browser(house), Browser(house)
    await browser.sign_in(family.email)
    thief.cookies = dict(browser.cookies)
    await browser.do(REFRESH)
    house.clock.ahead += timedelta(seconds=11)
    reply = await thief.ask(REFRESH)
    assert reply.data["refreshSession"]["problems"] == [{"code": "REFRESH_REFUSED"}]
    assert set(thief.cookies) == {"kiosque-device"}
    assert number_in((await browser.ask(WHO)).data) is None, "the theft ended the session"


async def test_nobody_refreshes_or_signs_in_by_cookie_where_none_can_be_set(house: House) -> None:
    family, _ = await house.member()
    browser = Browser(house)
    await browser.sign_in(family.email)
    before = await sessions_of(house, family.id)
    async with Socket(house, None, {"Origin": house.url, "Cookie": browser.header}) as socket:
        await socket.subscribe("1", SIGN_IN, identifier=family.email, password=PASSWORD)
        assert (await socket.next("1"))["signIn"]["problems"] == [{"code": "BAD_USER_INPUT"}]
        await socket.subscribe("2", REFRESH)
        assert (await socket.next("2"))["refreshSession"]["problems"] == [{"code": "BAD_USER_INPUT"}]
    assert await sessions_of(house, family.id) == before
    assert number_in((await browser.ask(WHO)).data) == family.number
    await browser.do(REFRESH)


async def test_a_stale_cookie_makes_nobody_of_who_sends_it_and_lets_it_sign_in_again(house: House) -> None:
    family, _ = await house.member()
    browser = Browser(house)
    for stale in ("rubbish", "a.b.c", "x" * 5000):
        assert number_in((await browser.ask(WHO, {"Cookie": f"kiosque-access={stale}"})).data) is None
    await browser.sign_in(family.email)
    house.clock.ahead += timedelta(minutes=11)
    assert number_in((await browser.ask(WHO)).data) is None
    assert (await browser.ask("{ procedures { totalCount } }")).codes == ["UNAUTHENTICATED"]
    await browser.sign_in(family.email)
    assert number_in((await browser.ask(WHO)).data) == family.number


async def test_a_token_that_is_named_wins_over_a_cookie_and_must_count(house: House) -> None:
    family, _ = await house.member()
    other, token = await house.member()
    browser = Browser(house)
    await browser.sign_in(family.email)
    bearer = {"Authorization": f"Bearer {token}"}
    assert number_in((await browser.ask(WHO, bearer)).data) == other.number
    assert (await browser.ask(WHO, {"Authorization": "Bearer rubbish"})).codes == ["UNAUTHENTICATED"]
    assert (await browser.ask(REFRESH, bearer)).data["refreshSession"]["problems"] == [{"code": "REFRESH_REFUSED"}]
    await browser.ask(SIGN_OUT, bearer)
    assert (await house.ask(WHO, token)).codes == ["UNAUTHENTICATED"]
    await browser.sign_in(family.email)


@pytest.mark.parametrize("command", [SIGN_OUT, EVERYWHERE])
async def test_signing_out_drops_the_cookies_and_the_session(house: House, command: str) -> None:
    family, _ = await house.member()
    browser, kept = Browser(house), Browser(house)
    await browser.sign_in(family.email)
    kept.cookies = dict(browser.cookies)
    await browser.do(command)
    assert set(browser.cookies) == {"kiosque-device"}, "the device stays known"
    assert number_in((await kept.ask(WHO)).data) is None
    assert (await kept.ask(REFRESH)).data["refreshSession"]["problems"] == [{"code": "REFRESH_REFUSED"}]


async def test_who_signs_out_after_the_access_token_has_ended_is_signed_out_all_the_same(house: House) -> None:
    family, _ = await house.member()
    browser, kept = Browser(house), Browser(house)
    await browser.sign_in(family.email)
    kept.cookies = dict(browser.cookies)
    house.clock.ahead += timedelta(minutes=11)
    browser.forget("access")
    await browser.do(SIGN_OUT)
    assert set(browser.cookies) == {"kiosque-device"}
    assert (await kept.ask(REFRESH)).data["refreshSession"]["problems"] == [{"code": "REFRESH_REFUSED"}]


async def test_on_a_shared_computer_the_cookie_goes_with_the_browser_and_nothing_is_remembered(house: House) -> None:
    family, _ = await house.member()
    before, _ = await house.member()
    browser = Browser(house)
    await browser.sign_in(before.email)
    browser.forget("device")
    await browser.sign_in(family.email, shared=True)
    assert set(browser.cookies) == {"kiosque-access"}
    assert browser.named("access")["max-age"] == ""
    assert number_in((await browser.ask(WHO)).data) == family.number


async def asks_over_socket(house: House, browser: Browser, origin: str | None) -> str | None:
    """Open a socket with the browser's cookies as a page of `origin`; give whom it stands for."""
    headers = {"Cookie": browser.header} | ({"Origin": origin} if origin else {})
    async with Socket(house, None, headers) as socket:
        await socket.subscribe("1", WHO)
        return number_in(await socket.next("1"))


async def test_a_page_of_another_site_cannot_open_a_socket_with_the_cookies(city: Database) -> None:
    """Cross-site WebSocket hijacking: browsers send cookies with sockets of every site."""
    app = "https://app.example"
    async with opened(city.dsn, server={"port": 0, "allowed_origins": [app]}) as house:
        family, _ = await house.member()
        browser = Browser(house)
        await browser.sign_in(family.email)
        for foreign in ("https://evil.example", f"{house.url}.evil.example", "null", f"https://evil.example:{443}"):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await asks_over_socket(house, browser, foreign)
            assert refused.value.status == 403
        assert await asks_over_socket(house, browser, None) is None, "no browser: the cookie does not count"
        assert await asks_over_socket(house, browser, house.url) == family.number
        assert await asks_over_socket(house, browser, app) == family.number


async def test_a_page_that_came_without_tls_is_another_site_for_a_portal_with_tls(city: Database) -> None:
    async with opened(city.dsn, server={"port": 0, "public_url": "https://portail.example"}) as house:
        family, _ = await house.member()
        browser = Browser(house)
        await browser.sign_in(family.email)
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await asks_over_socket(house, browser, house.url)
        assert (await browser.ask(WHO, {"Origin": house.url})).codes == ["FORBIDDEN"]
        assert await asks_over_socket(house, browser, house.url.replace("http", "https")) == family.number


async def test_a_socket_whose_session_ends_makes_nobody_of_its_cookie(house: House) -> None:
    family, _ = await house.member()
    browser = Browser(house)
    await browser.sign_in(family.email)
    async with Socket(house, None, {"Origin": house.url, "Cookie": browser.header}) as socket:
        await browser.do(SIGN_OUT)
        assert await socket.closed() == 4403


async def test_a_socket_whose_session_ran_out_unheard_is_no_longer_answered_not_even_as_nobody(house: House) -> None:
    """No bell rings for a session that time ends, and the socket's own timer runs by another clock."""
    family, _ = await house.member()
    browser = Browser(house)
    await browser.sign_in(family.email)
    async with Socket(house, None, {"Origin": house.url, "Cookie": browser.header}) as socket:
        await socket.subscribe("1", WHO)
        assert number_in(await socket.next("1")) == family.number
        house.clock.ahead += timedelta(days=15)
        await socket.subscribe("2", WHO)
        message = await socket.message("2")
        assert (message["type"], message["payload"][0]["extensions"]["code"]) == ("error", "UNAUTHENTICATED")


async def test_a_listed_web_app_on_another_origin_may_send_its_cookies(city: Database) -> None:
    app = "https://app.example"
    async with opened(city.dsn, server={"port": 0, "allowed_origins": [app]}) as house:
        for origin, allowed in ((app, "true"), (house.url, None)):
            headers = {"Origin": origin, "X-Portal-Client": "web"}
            body = {"query": WHO}
            async with house.http.post(f"{house.url}/graphql", json=body, headers=headers) as response:
                assert response.headers.get("Access-Control-Allow-Credentials") == allowed
            streamed = headers | {"Accept": "text/event-stream"}
            async with house.http.post(
                f"{house.url}/graphql", json=body, headers=streamed, timeout=aiohttp.ClientTimeout(PATIENCE)
            ) as response:
                assert response.headers.get("Access-Control-Allow-Origin") == (app if allowed else None)


async def test_tokens_remain_what_a_client_gets_unless_it_asks_for_cookies(house: House) -> None:
    family, _ = await house.member()
    browser = Browser(house)
    payload = await browser.do(TOKENS, identifier=family.email, password=PASSWORD)
    assert payload["session"]["accessToken"] and browser.cookies == {}
