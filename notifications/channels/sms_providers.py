"""The providers of text messages. A new one is named here."""

from collections.abc import Callable, Mapping

from db.clock import Clock
from db.configuration import SettingsError
from db.settings import Settings
from notifications.channels.ovh import Ovh
from notifications.channels.sms_http import SmsHttp
from notifications.channels.sms_provider import Hear, Provider


def providers_of(settings: Settings, clock: Clock) -> Callable[[Hear], Mapping[str, Provider]]:
    """Give what makes the providers of the settings, in their order; that raises SettingsError."""
    receipts = settings.sms.callback_secret is not None

    def smpp(hear: Hear) -> Provider:
        try:
            from notifications.channels.smpp import Smpp
        except ImportError as error:
            raise SettingsError("sms.providers names smpp, which needs the extra `smpp` (package smpp34).") from error
        return Smpp(settings.smpp, hear)

    makers: dict[str, Callable[[Hear], Provider]] = {
        "ovh": lambda _: Ovh(settings.ovh, clock, receipts=receipts),
        "http": lambda _: SmsHttp(settings.sms_http, receipts=receipts),
        "smpp": smpp,
    }
    return lambda hear: {name: makers[name](hear) for name in settings.sms.providers}
