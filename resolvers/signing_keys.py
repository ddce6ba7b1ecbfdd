"""The portal's signing keys: made, rotated, and known to every running node.

A rotation makes a key that signs from now on. The one before it verifies until the last token that it signed has
ended, which is written beside it at once: no job has to come back for it.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from db import audit
from db import signing_keys as stored
from db.clock import Clock
from db.ids import uuid7
from db.keys import Keys
from db.pool import Database
from db.settings import Tokens as TokenSettings
from resolvers.tokens import SigningKey, Tokens
from resolvers.viewer import SYSTEM_SIGHT

PURPOSE = "signing-key"
LOOK_SECONDS = 5.0
"""Between two looks for keys that nobody rang for: strangers can make up names of keys at will."""

HEARD_WITHIN = timedelta(minutes=2)
"""How long a node may go on signing with the key before, when it hears late of a new one."""


class OtherMasterKey(Exception):
    """The database was sealed with another master key than the one that is set."""


async def load(tx: Any, keys: Keys, now: datetime) -> list[SigningKey]:
    """Give the keys that count, newest first; raises OtherMasterKey."""
    return [_unsealed(keys, row) for row in await stored.in_use(tx, now)]


async def open_tokens(tx: Any, keys: Keys, settings: TokenSettings, now: datetime) -> Tokens:
    """Load the portal's signing keys, making the first one in a new portal."""
    found = await load(tx, keys, now)
    if not found:
        kid, sealed = _made(keys, now)
        await stored.insert_first(tx, kid, sealed, now)
        found = await load(tx, keys, now)
    return Tokens(found, settings)


async def rotate(tx: Any, keys: Keys, settings: TokenSettings, now: datetime, *, compromised: bool = False) -> str:
    """Make a key that signs from now on; give its name.

    The keys before it verify as long as a token of theirs may live, or, when one is compromised, no longer at all:
    every client must then refresh. Raises OtherMasterKey.
    """
    await load(tx, keys, now)  # A key sealed otherwise than those before it would stop every node.
    longest = max(settings.access_seconds, settings.shared_computer_seconds)
    until = now if compromised else now + timedelta(seconds=longest) + HEARD_WITHIN
    retired = await stored.retire(tx, until)
    kid, sealed = _made(keys, now)
    await stored.insert(tx, kid, sealed, now)
    data = {"compromised": compromised, "retired": retired}
    await audit.record(tx, audit.Act("signing_key_rotated", "SYSTEM", now, subject_id=UUID(kid), data=data))
    return kid


class SigningKeys:
    """Keeps the keys of one process up to date."""

    def __init__(self, database: Database, tokens: Tokens, keys: Keys, clock: Clock) -> None:
        self._database = database
        self._tokens = tokens
        self._keys = keys
        self._clock = clock
        self._looking = asyncio.Lock()
        self._looked = -LOOK_SECONDS

    async def reload(self) -> None:
        """Take the keys as the database has them now; raises DatabaseUnavailable."""
        async with self._database.transaction(SYSTEM_SIGHT) as tx:
            found: Sequence[SigningKey] = await load(tx, self._keys, self._clock())
        if found:
            self._tokens.use(found)

    async def look_again(self) -> None:
        """Reload for a token whose key is not known, once in five seconds at the most; raises DatabaseUnavailable."""
        async with self._looking:
            now = asyncio.get_running_loop().time()
            if now - self._looked >= LOOK_SECONDS:
                self._looked = now
                await self.reload()


def _made(keys: Keys, now: datetime) -> tuple[str, bytes]:
    clear = Ed25519PrivateKey.generate().private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    return str(uuid7(now)), keys.seal(PURPOSE, clear)


def _unsealed(keys: Keys, row: stored.Sealed) -> SigningKey:
    try:
        clear = keys.unseal(PURPOSE, row.private_key)
    except InvalidTag:
        raise OtherMasterKey(
            "secrets.master_key is not the one that this database was sealed with. Give the one it had: nothing else "
            "opens what is sealed there."
        ) from None
    private = Ed25519PrivateKey.from_private_bytes(clear)
    return SigningKey(row.kid, private, row.created_at, row.retires_at)
