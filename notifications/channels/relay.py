"""A few kept connections to the mail relay; each carries one message at a time."""

import asyncio
import ssl

from aiosmtplib import SMTP, SMTPServerDisconnected

from db.settings_channels import Mail

IDLE_SECONDS = 20.0
"""A relay hangs up on those who say nothing; after so long it is not worth asking."""

STARTTLS = {"never": False, "opportunistic": None, "required": True}


class AfterTheDot(Exception):
    """The whole message was handed over, but no answer came: it may or may not have been taken."""


class Relay:
    """Hands messages to one relay. Every wait is bounded by the settings' timeout."""

    def __init__(self, settings: Mail, tls: ssl.SSLContext | None = None) -> None:
        """`tls` says which certificates to trust; the system's own when not given."""
        self._settings = settings
        self._tls = tls
        self._idle: list[tuple[SMTP, float]] = []

    async def hand_over(self, sender: str, recipient: str, message: bytes) -> str:
        """Send one message; gives the relay's answer.

        Raises AfterTheDot, and what aiosmtplib raises: SMTPSenderRefused, SMTPRecipientRefused, SMTPDataError with the
        relay's code; SMTPServerDisconnected, SMTPConnectError, SMTPTimeoutError, SMTPNotSupported.
        """
        connection = await self._begun(sender, international=not recipient.isascii())
        try:
            encoding = "ascii" if recipient.isascii() else "utf-8"
            await connection.rcpt(recipient, encoding=encoding)
            answer = await self._data(connection, message)
        except Exception:
            await self._reset(connection)
            raise
        except BaseException:
            connection.close()
            raise
        self._keep(connection)
        return answer

    async def close(self) -> None:
        """Say good-bye on all idle connections."""
        while self._idle:
            connection, _ = self._idle.pop()
            try:
                await connection.quit(timeout=1.0)
            except OSError:
                connection.close()

    async def _begun(self, sender: str, *, international: bool) -> SMTP:
        """Give a connection on which the sender was accepted: a kept one if it is still alive, else a new one."""
        options = ["SMTPUTF8"] if international else []
        now = asyncio.get_running_loop().time()
        while self._idle:
            connection, since = self._idle.pop()
            if now - since > IDLE_SECONDS or not connection.is_connected:
                connection.close()
                continue
            try:
                return await self._from(connection, sender, options)
            except SMTPServerDisconnected:
                # The relay hung up while the connection was idle; nothing was said yet, so another one is as good.
                connection.close()
        return await self._from(await self._connected(), sender, options)

    async def _from(self, connection: SMTP, sender: str, options: list[str]) -> SMTP:
        try:
            await connection.mail(sender, options=options, encoding="utf-8" if options else "ascii")
        except BaseException:
            connection.close()
            raise
        return connection

    async def _connected(self) -> SMTP:
        settings = self._settings
        connection = SMTP(
            hostname=settings.host,
            port=settings.port,
            username=settings.username,
            password=settings.password,
            start_tls=STARTTLS[settings.starttls],
            tls_context=self._tls,
            timeout=settings.timeout,
        )
        try:
            await connection.connect()
        except BaseException:
            connection.close()
            raise
        return connection

    async def _data(self, connection: SMTP, message: bytes) -> str:
        try:
            return (await connection.data(message)).message
        except (SMTPServerDisconnected, TimeoutError) as error:
            raise AfterTheDot from error

    async def _reset(self, connection: SMTP) -> None:
        """Make the connection ready for another message, or let it go."""
        try:
            await connection.rset()
        except Exception:
            connection.close()
        else:
            self._keep(connection)

    def _keep(self, connection: SMTP) -> None:
        if connection.is_connected:
            self._idle.append((connection, asyncio.get_running_loop().time()))
