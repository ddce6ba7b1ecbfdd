"""The state of a process and the state of a request: two frozen dataclasses, no globals."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from db import audit, steps
from db.clock import Clock
from db.keys import Keys
from db.pool import Database
from db.settings import Settings
from resolvers.banks import Banks
from resolvers.cookies import Cookies
from resolvers.passwords import Passwords
from resolvers.problems import Refusal, helped, refusal, throttled
from resolvers.provider import Provider
from resolvers.reading.reader import Reader
from resolvers.session_cache import SessionCache
from resolvers.signing_keys import SigningKeys
from resolvers.status_cache import StatusCache
from resolvers.tokens import Tokens
from resolvers.typesetting import Typesetter
from resolvers.vault import Vault
from resolvers.viewer import SYSTEM_SIGHT, Viewer


@dataclass(frozen=True, slots=True)
class Process:
    """What one gateway process holds from start to stop."""

    settings: Settings
    """As read at start; never changed."""

    database: Database
    """The pool."""

    clock: Clock
    """The present moment, UTC."""

    keys: Keys
    """Keys derived from the master key."""

    passwords: Passwords
    """The one bounded hashing thread."""

    tokens: Tokens
    """Signs and verifies access tokens."""

    signing_keys: SigningKeys
    """Keeps the keys of `tokens` those of the whole portal."""

    reader: Reader
    """Turns selections into single SQL statements."""

    sessions: SessionCache
    """Who a session stands for."""

    status: StatusCache
    """Whether there is maintenance."""

    documents: Vault
    """The bytes of the documents that families upload."""

    typesetter: Typesetter
    """The one bounded thread that makes PDFs."""

    banks: Banks
    """Those that take cards, the one that is offered first; none where the settings name none."""

    provider: Provider | None = None
    """The outside provider of sign-in, where the settings name one."""


@dataclass(frozen=True, slots=True)
class Context:
    """What one request holds."""

    process: Process
    """The process it runs in."""

    viewer: Viewer
    """Who asks."""

    request_id: str
    """Named in logs and in masked errors."""

    client: str = ""
    """Network address of the client, or its household's network; for throttling only, never logged."""

    device: str = ""
    """What the client calls itself (User-Agent, cut), shown in the family's list of sessions."""

    cookies: Cookies = field(default_factory=Cookies)
    """The cookies of the request and of its answer; the one part of a context that changes."""

    @property
    def reader(self) -> Reader:
        """The process's reader, where the fallback of reads looks for it."""
        return self.process.reader

    def refusal(self, code: str, path: list[str] | None = None) -> Refusal:
        """Make a refusal in the viewer's language; one that a family cannot mend alone says who helps (R40)."""
        return helped(refusal(code, self.viewer, path), self.process.settings.city, self.viewer)

    def throttled(self, wait: timedelta) -> Refusal:
        """Make the refusal THROTTLED, which says how long to wait and who helps meanwhile."""
        return helped(throttled(wait, self.viewer), self.process.settings.city, self.viewer)

    def as_viewer(self, viewer: Viewer) -> "Context":
        """Give the same request for another viewer, as after a sign-in."""
        return replace(self, viewer=viewer)

    async def record(self, tx: Any, act: str, *, family: UUID | None, subject: UUID | None = None, **data: Any) -> None:
        """Write into the audit log what the viewer does, in the transaction that does it; see `db.audit.Act`."""
        viewer = self.viewer
        actor = viewer.login
        now = self.process.clock()
        await audit.record(tx, audit.Act(act, viewer.kind.value, now, actor, family, subject, data))

    def look(self) -> AbstractAsyncContextManager[Any]:
        """Open a transaction that only reads, with the viewer's sight."""
        return self.process.database.transaction(self.viewer.sight)

    @asynccontextmanager
    async def transaction(self, *, system: bool = False) -> AsyncIterator[Any]:
        """Open the transaction of a mutation; `system` sees all rows and is for requests before sign-in only.

        Leaving it without an exception commits. Nothing outside the database happens before.
        """
        async with self.process.database.transaction(SYSTEM_SIGHT if system else self.viewer.sight) as tx:
            yield tx
            steps.reached("mutation.before_commit")
        steps.reached("mutation.committed")
