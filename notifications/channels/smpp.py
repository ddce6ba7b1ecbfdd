"""Text messages by SMPP 3.4, straight to a centre (SMSC). Needs the extra `smpp`.

One session, bound as transceiver, carries messages out and receipts and incoming messages back.
"""

import asyncio
import re

import smpp34
import structlog

from db.configuration import SettingsError
from db.receipts import State
from db.settings_channels import Smpp as Settings
from notifications import gsm7
from notifications.channels import Dead, Later
from notifications.channels.http import Unsure
from notifications.channels.sms_provider import CameReceipt, CameText, Hear, Text

log = structlog.get_logger(__name__)

ALPHANUMERIC, INTERNATIONAL = 5, 1
ISDN = 1
UCS2 = 8
RECEIPT_WANTED = 1
RECEIPT = 0x04
KIND = 0x3C
"""Bits of `esm_class` that say what a message from the centre is (section 5.2.12)."""

OUR_ID = 0x1400
"""The first tag that the protocol leaves to us: the id of the delivery, by which a duplicate is known."""

RECEIPTED_MESSAGE_ID, MESSAGE_PAYLOAD, MESSAGE_STATE = 0x001E, 0x0424, 0x0427
ALONE = 1
"""A text of one message stands in `short_message`; a longer one in `message_payload`, which the centre parts."""

FOR_NOW = {
    0x08: "system error",
    0x14: "queue full",
    0x58: "too fast",
    0x64: "application error for now",
}
NO_SUCH_NUMBER = (0x0B,)
STATES: dict[str, State] = {
    "DELIVRD": "DELIVERED",
    "UNDELIV": "FAILED",
    "EXPIRED": "FAILED",
    "REJECTD": "FAILED",
    "DELETED": "FAILED",
}
"""Appendix B; what is only under way says nothing yet."""

NUMBERED: dict[int, State] = {2: "DELIVERED", 3: "FAILED", 4: "FAILED", 5: "FAILED", 8: "FAILED"}
"""The same in the TLV `message_state` (section 5.2.28)."""

_RECEIPT_ID = re.compile(r"\bid:(\S{1,100})", re.IGNORECASE)
_RECEIPT_STATE = re.compile(r"\bstat:(\w{1,10})", re.IGNORECASE)


class Smpp:
    """One centre. Bound with the first message, and again after the session broke."""

    name = "smpp"
    receipts = True

    def __init__(self, settings: Settings, hear: Hear) -> None:
        """`hear` is told what comes in. Raises SettingsError when no centre is named."""
        if not settings.host or settings.password is None:
            raise SettingsError("smpp.host and smpp.password are needed: smpp is among sms.providers.")
        self.patience, self.limit, self.rate = settings.timeout * 2, settings.window, settings.rate
        self._settings = settings
        self._hear = hear
        self._client: smpp34.Client | None = None
        self._session: smpp34.Smsc | None = None
        self._listening: asyncio.Task[None] | None = None
        self._binding = asyncio.Lock()

    async def submit(self, text: Text) -> str:
        """Send one `submit_sm`; gives the centre's id of it. Raises Dead, Later, Unsure."""
        session = await self._bound()
        coding, octets = (0, gsm7.encoded(text.body)) if text.seven_bit else (UCS2, text.body.encode("utf-16-be"))
        tags = [smpp34.Tlv(OUR_ID, str(text.id).encode())]
        if text.segments > ALONE:
            tags.append(smpp34.Tlv(MESSAGE_PAYLOAD, octets))
            octets = b""
        try:
            async with asyncio.timeout(self._settings.timeout):
                answer = await session.submit_sm(
                    text.to.removeprefix("+"),
                    octets,
                    source_addr=text.sender,
                    source_addr_ton=ALPHANUMERIC,
                    dest_addr_ton=INTERNATIONAL,
                    dest_addr_npi=ISDN,
                    registered_delivery=RECEIPT_WANTED,
                    data_coding=coding,
                    tlvs=tags,
                )
        except (smpp34.SmppError, OSError, RuntimeError, TimeoutError) as error:
            await self._unbound()
            raise Unsure(f"no answer came: {type(error).__name__}; it may come twice") from error
        if answer.is_success and answer.message_id:
            return answer.message_id
        raise _refusal(answer.command_status)

    async def look(self) -> str:
        """Bind and say so. Raises Later."""
        await self._bound()
        return "bound"

    async def close(self) -> None:
        """Unbind."""
        await self._unbound()

    async def _bound(self) -> smpp34.Smsc:
        async with self._binding:
            if self._session is not None:
                return self._session
            settings = self._settings
            assert settings.password is not None, "looked at in the beginning"
            self._client = smpp34.Client(
                settings.host,
                settings.port,
                settings.system_id,
                settings.password,
                tls=settings.tls,
                window_size=settings.window,
                connect_timeout_ms=int(settings.timeout * 1000),
            )
            try:
                async with asyncio.timeout(settings.timeout):
                    self._session = await self._client.connect()
            except (smpp34.SmppError, OSError, RuntimeError, TimeoutError) as error:
                await self._stop(self._client)
                raise Later(f"the centre is away: {type(error).__name__}") from error
            self._listening = asyncio.create_task(self._listen(self._session))
            return self._session

    async def _unbound(self) -> None:
        client, listening = self._client, self._listening
        self._client = self._session = self._listening = None
        if listening is not None:
            listening.cancel()
        if client is not None:
            await self._stop(client)

    async def _stop(self, client: smpp34.Client) -> None:
        try:
            async with asyncio.timeout(1.0):
                await client.stop()
        except (smpp34.SmppError, OSError, RuntimeError, TimeoutError) as error:
            log.warning("smpp_stop", trouble=type(error).__name__)

    async def _listen(self, session: smpp34.Smsc) -> None:
        while True:
            try:
                event = await session.next()
            except (smpp34.SmppError, OSError, RuntimeError) as error:
                log.warning("smpp_session_lost", trouble=type(error).__name__)
                break
            if isinstance(event, smpp34.Disconnected):
                break
            came = _read(event)
            if came is not None:
                self._hear(came)
        if self._session is session:
            self._session = None


def _refusal(status: int) -> Later | Dead:
    if status in NO_SUCH_NUMBER:
        return Dead("the centre knows no such number", retire_address=True)
    return Later(f"{FOR_NOW.get(status, 'refused')} ({status:#04x})")


def _read(event: smpp34.DeliverSmEvent) -> CameReceipt | CameText | None:
    """Read what the centre sent; None when it says nothing that counts."""
    tags = {tag.tag: tag for tag in event.tlvs}
    if event.esm_class & KIND != RECEIPT:
        octets = event.short_message
        body = octets.decode("utf-16-be", "replace") if event.data_coding == UCS2 else gsm7.decoded(octets)
        return CameText(f"+{event.source_addr.removeprefix('+')}", body)
    said = event.short_message.decode("ascii", "replace")
    named, stated = tags.get(RECEIPTED_MESSAGE_ID), tags.get(MESSAGE_STATE)
    reference = named.as_string() if named else _group(_RECEIPT_ID, said)
    state = NUMBERED.get(stated.as_int() or 0) if stated else STATES.get(_group(_RECEIPT_STATE, said).upper())
    return CameReceipt(Smpp.name, reference[:100], state) if reference and state else None


def _group(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[1] if found else ""
