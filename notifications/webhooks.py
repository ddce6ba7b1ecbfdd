"""Sends the feed to webhooks of partners: one delivery after the other at each address, many addresses at once."""

import asyncio
import random
import socket
import ssl
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import asyncpg
import structlog
from cryptography.exceptions import InvalidTag
from standardwebhooks.webhooks import Webhook

from db import partners, steps
from db import webhooks as stored
from db.clock import Clock
from db.keys import Keys
from db.settings import Webhooks
from db.webhooks import Attempt, Held
from notifications.names import NotInTime
from notifications.post import Post, Refused
from notifications.troubles import TROUBLES, Patience

log = structlog.get_logger(__name__)

GONE = 410
A_TURN = 20
"""Deliveries that an address gets before others have their turn."""

HANGS = 5
"""After this part of its time a receiver is taken for slow, and another address gets its place."""

SHOWN = 200

HUNG_UP = "it hung up without an answer"
"""Also what is mostly seen of a receiver that takes no such certificate: TLS 1.3 refuses after we have spoken."""


class Hooks:
    """One for each dispatcher; addresses are shared by leases."""

    def __init__(
        self, pool: asyncpg.Pool, clock: Clock, settings: Webhooks, keys: Keys, open_post: Callable[[], Post]
    ) -> None:
        """`pool` is of role `kiosque_dispatch`."""
        self._pool = pool
        self._clock = clock
        self._settings = settings
        self._keys = keys
        self._open_post = open_post
        self.bell = asyncio.Event()
        self._working: dict[asyncio.Task[None], bool] = {}
        """What is being sent, and whether its address is slow."""

    async def run(self) -> None:
        """Send until cancelled; a database that is away is waited for."""
        patience = Patience()
        self._post = self._open_post()
        try:
            while True:
                self.bell.clear()
                try:
                    await self._start_due()
                    patience.reset()
                except TROUBLES as trouble:
                    await patience.wait(log, "webhooks_wait", trouble)
                    continue
                try:
                    async with asyncio.timeout(self._settings.poll):
                        await self.bell.wait()
                except TimeoutError:
                    continue
        finally:
            for task in self._working:
                task.cancel()
            await asyncio.gather(*self._working, return_exceptions=True)
            await self._post.close()

    async def _start_due(self) -> None:
        for slow in (False, True):
            of_slow, hanging = self._settings.at_once // 2, sum(self._working.values())
            quick = len(self._working) - hanging
            free = of_slow - hanging if slow else self._settings.at_once - quick - min(hanging, of_slow)
            if free <= 0:
                continue
            now = self._clock()
            async with self._pool.acquire() as connection:
                due = await stored.claim(connection, now, now + self._lease, free, slow=slow)
            if due:
                steps.reached("webhook.claimed")
            for held in due:
                task = asyncio.create_task(self._work(held))
                self._working[task] = slow
                task.add_done_callback(self._ended)
                asyncio.get_running_loop().call_later(self._settings.timeout / HANGS, self._take_for_slow, task)

    def _take_for_slow(self, task: asyncio.Task[None]) -> None:
        """Let another address have the place of one that hangs, though nobody knew it as slow."""
        if task in self._working and not self._working[task]:
            self._working[task] = True
            self.bell.set()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._working.pop(task, None)
        self.bell.set()
        if not task.cancelled() and (fault := task.exception()) is not None:
            # Its lease runs out and another takes the address.
            log.error("webhook_crashed", kind=type(fault).__name__)

    @property
    def _lease(self) -> timedelta:
        return timedelta(seconds=self._settings.timeout + self._settings.lease_margin)

    async def _work(self, held: Held) -> None:
        """Send what waits at one address, in order, until something fails or others must have their turn."""
        patience = Patience()
        for _ in range(A_TURN):
            now = self._clock()
            async with self._pool.acquire() as connection:
                present = await stored.renew(connection, held, now, now + self._lease)
            if present is None:
                break
            held = present
            if not held.working:
                await self._end(held, "PARTNER_ENDED")
                return
            if held.delivery_id is None or (held.next_try_at is not None and held.next_try_at > self._clock()):
                break
            attempt, again = await self._try(held)
            steps.reached("webhook.sent")
            while True:
                try:
                    kept = await self._record(held, attempt, again)
                    break
                except TROUBLES as trouble:
                    await patience.wait(log, "webhook_result_waits", trouble)
            steps.reached("webhook.recorded")
            if not kept or attempt.problem is not None:
                return
        async with self._pool.acquire() as connection:
            await stored.give_back(connection, held)

    async def _end(self, held: Held, because: str) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            if await stored.held_still(connection, held):
                await stored.disable(connection, held.partner_id, held.webhook_id, because, self._clock())
                await stored.give_back(connection, held)

    async def _try(self, held: Held) -> tuple[Attempt, float | None]:
        """Make one attempt; give it, and after how many seconds the receiver wants the next."""
        begun, started = self._clock(), asyncio.get_running_loop().time()
        status, problem, text, again = None, None, None, None
        try:
            async with asyncio.timeout(self._settings.timeout + 1):
                answer = await self._post.send(held.url, *self._message(held, begun), self._certificate(held))
            status, text = answer.status, answer.text[:1000].replace("\0", "")
            if not 200 <= status < 300:
                problem = "redirected" if 300 <= status < 400 else f"status {status}"
            if answer.retry_after and answer.retry_after.isascii() and answer.retry_after.isdigit():
                again = float(answer.retry_after[:6])
        except Refused as refused:
            problem = str(refused)
        except TimeoutError:
            problem = "no answer in time"
        except (aiohttp.ClientError, OSError, ValueError) as error:
            problem = _cause(error)
            if problem == HUNG_UP and held.url.startswith("https:"):
                problem += f"; we showed it {'a' if held.sealed_certificate else 'no'} certificate"
        except InvalidTag:
            problem = "its secret cannot be read"
        spent = int((asyncio.get_running_loop().time() - started) * 1000)
        return Attempt(begun, spent, status, problem[:SHOWN] if problem else None, text), again

    def _message(self, held: Held, now: datetime) -> tuple[bytes, dict[str, str]]:
        """Give the bytes of a delivery and their headers (Standard Webhooks): the signatures are of exactly these."""
        assert held.body is not None and held.message_id is not None, "a delivery waits"
        sealed = [each for each in (held.sealed_secret, held.sealed_old_secret) if each is not None]
        secrets = [Webhook(self._keys.unseal(stored.PURPOSE, each).decode()) for each in sealed]
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Kiosque-Webhooks/1",
            "webhook-id": held.message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": " ".join(each.sign(held.message_id, now, held.body) for each in secrets),
        }
        return held.body.encode(), headers

    def _certificate(self, held: Held) -> bytes | None:
        return self._keys.unseal(stored.PURPOSE, held.sealed_certificate) if held.sealed_certificate else None

    async def _record(self, held: Held, attempt: Attempt, again: float | None) -> bool:
        """Write an attempt; False when the address was lost meanwhile and nothing was written."""
        now, number = self._clock(), held.attempts + 1
        waits = self._settings.retry_seconds
        last = attempt.problem is not None and (number > len(waits) or attempt.status_code == GONE)
        status = "DELIVERED" if attempt.problem is None else "FAILED" if last else "PENDING"
        next_try = None if status != "PENDING" else now + timedelta(seconds=pause(waits, number, again))
        async with self._pool.acquire() as connection, connection.transaction():
            if not await stored.held_still(connection, held):
                return False
            await stored.record(connection, held, attempt, status, next_try, now)
            if last:
                await self._disable(connection, held, attempt, number, now)
            if attempt.problem is not None:
                await stored.give_back(connection, held)
        return True

    async def _disable(self, tx: Any, held: Held, attempt: Attempt, number: int, now: datetime) -> None:
        """Give an address up, and tell the partner's contact and the administrators."""
        because = "GONE" if attempt.status_code == GONE else "FAILING"
        await stored.disable(tx, held.partner_id, held.webhook_id, because, now)
        data = {"partner": held.partner, "url": held.url, "attempts": number, "problem": attempt.problem}
        await partners.notify(tx, held.partner_id, "partner_webhook_disabled", data, now)
        await partners.ask_staff(tx, held.partner_id, "WEBHOOK_DISABLED", held.webhook_id, now)
        log.warning("webhook_disabled", webhook=str(held.webhook_id), problem=because)


def pause(waits: Sequence[float], number: int, again: float | None) -> float:
    """Give the seconds to wait after so many attempts: a fifth more or less, or what the receiver asks for."""
    wait = waits[number - 1] * random.uniform(0.8, 1.2)  # noqa: S311 - it spreads retries, it guards nothing
    return max(wait, min(again or 0.0, max(waits)))


def _cause(error: BaseException) -> str:
    """Name what went wrong; a refusal of our own, or what one side's TLS said, may lie inside."""
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, Refused | NotInTime):
            return str(inner)
        if isinstance(inner, socket.gaierror):
            return "its name was not found"
        if isinstance(inner, ssl.SSLError) and not isinstance(inner, aiohttp.ClientError):  # which only wrap one
            return _of_tls(inner)
        if isinstance(inner, aiohttp.ServerDisconnectedError | ConnectionResetError | BrokenPipeError):
            return HUNG_UP
        inner = inner.__cause__ or inner.__context__
    return type(error).__name__


def _of_tls(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate was refused: {error.verify_message}"
    return f"TLS: {(error.reason or 'broken').replace('_', ' ').lower()}"
