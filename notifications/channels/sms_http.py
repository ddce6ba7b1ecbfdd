"""Text messages by any provider, or bridge to one, that takes JSON over HTTP; see docs/channels.md for the contract."""

import msgspec

from db.configuration import SettingsError, is_secure
from db.settings_channels import SmsHttp as Settings
from notifications.channels import Dead, Later
from notifications.channels.http import Http
from notifications.channels.sms_provider import Text

NO_SUCH_NUMBER = (404, 410, 422)


class SmsHttp:
    """Takes `{"id", "from", "to", "text", "encoding"}`; its receipts name the same id."""

    name = "http"

    def __init__(self, settings: Settings, *, receipts: bool) -> None:
        """Raises SettingsError when no address is given, or one without TLS."""
        if not is_secure(settings.url):
            raise SettingsError("sms_http.url: Expected an https address (http on 127.0.0.1 only).")
        self.patience, self.limit, self.rate = settings.timeout, settings.connections, settings.rate
        self.receipts = receipts
        self._url, self._token = settings.url, settings.token
        self._http = Http(settings.timeout, settings.connections)

    async def submit(self, text: Text) -> str:
        """Post one text; gives our own id, which the provider keeps. Raises Dead, Later, Unsure."""
        body = msgspec.json.encode(
            {
                "id": str(text.id),
                "from": text.sender,
                "to": text.to,
                "text": text.body,
                "encoding": "GSM7" if text.seven_bit else "UCS2",
            }
        )
        headers = {"Content-Type": "application/json", "Idempotency-Key": str(text.id)}
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token}"
        answer = await self._http.post(self._url, body, headers)
        if answer.good():
            # Whoever says yes must be able to say it in JSON: a captive portal says yes to everything.
            answer.read()
            return str(text.id)
        answer.raise_busy()
        if answer.status in NO_SUCH_NUMBER:
            raise Dead("the provider knows no such number", retire_address=True)
        raise Later(f"status {answer.status}")

    async def look(self) -> str:
        """Ask whether anybody is there. Raises Later."""
        return f"status {(await self._http.get(self._url, {})).status}"

    async def close(self) -> None:
        """Hang up."""
        await self._http.close()
