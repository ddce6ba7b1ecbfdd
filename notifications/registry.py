"""The channels at work. A new channel is named here."""

from datetime import time
from zoneinfo import ZoneInfo

from db.clock import Clock
from db.configuration import SettingsError
from db.keys import Keys
from db.quiet import QuietHours
from db.settings import Settings
from db.web_push import vapid_key
from notifications.channels import Channel, Channels
from notifications.channels.email import Email
from notifications.channels.in_app import InApp
from notifications.channels.mobile_push import MobilePush
from notifications.channels.sms import Sms
from notifications.channels.sms_providers import providers_of
from notifications.channels.web_push import WebPush
from notifications.messages import Messages


def channels_of(settings: Settings, clock: Clock) -> Channels:
    """Make the channels that these settings allow. Raises SettingsError when they lack something."""
    if settings.secrets.master_key is None:
        raise SettingsError("secrets.master_key is missing: links in messages are signed with it")
    # Where there is no web app, the demo's own pages stand in for it.
    portal = settings.server.url if settings.server.production else f"{settings.server.url}/demo"
    keys = Keys.from_text(settings.secrets.master_key)
    messages = Messages(settings.city, portal, keys, clock, site_url=settings.server.url)
    channels: dict[str, Channel] = {
        "IN_APP": InApp(),
        "EMAIL": Email(settings.mail, settings.city, messages, keys, clock),
    }
    if settings.sms.providers:
        channels["SMS"] = Sms(settings.sms, providers_of(settings, clock), messages)
    if settings.push.enabled:
        channels["WEB_PUSH"] = WebPush(
            settings.push, vapid_key(settings.push, keys), settings.city.contact_email, messages, clock
        )
    if settings.fcm.service_account is not None:
        channels["MOBILE_PUSH"] = MobilePush(settings.fcm, settings.fcm.service_account, messages, clock)
    return Channels(channels)


def quiet_hours(settings: Settings) -> QuietHours:
    """Give the hours in which nothing rings."""
    quiet = settings.quiet
    return QuietHours(
        time.fromisoformat(quiet.starts), time.fromisoformat(quiet.ends), ZoneInfo(settings.city.time_zone)
    )
