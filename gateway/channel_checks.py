"""What `check` says of the channels: one line for each provider of text and push messages."""

from db.clock import utc_now
from db.configuration import SettingsError, kept_master_key
from db.keys import Keys
from db.settings import Settings
from db.settings_channels import Mail
from gateway.findings import Finding, Mark
from notifications.channels import Dead, Later
from notifications.channels.mobile_push import MobilePush
from notifications.channels.seal import signer
from notifications.channels.sms_provider import Provider
from notifications.channels.sms_providers import providers_of
from notifications.messages import Messages


async def looked_at(settings: Settings) -> list[Finding]:
    """Ask each provider something that sends nothing and costs nothing."""
    mail = [_bounces(settings), _seal(settings.mail)]
    return [*mail, *await _text_messages(settings), await _mobile_push(settings), _web_push(settings)]


def _bounces(settings: Settings) -> Finding:
    mail = settings.mail
    if not mail.bounces:
        mark = Mark.LOOK if settings.server.production else Mark.GOOD
        return Finding("bounces", "none are taken (mail.bounces): nobody learns what came back", mark)
    hook = ", and what the relay reports to /mail/bounces" if mail.bounce_secret else ""
    return Finding("bounces", f"to {mail.bounces}{hook}")


def _seal(mail: Mail) -> Finding:
    if mail.dkim_key is None:
        return Finding("seal on e-mails (DKIM)", "none of ours (mail.dkim_key): the relay puts one on, or nobody")
    domain = mail.sender.rpartition("@")[2]
    try:
        signer(mail)
    except SettingsError as error:
        return Finding("seal on e-mails (DKIM)", str(error), Mark.FAIL)
    place = f"{mail.dkim_selector}._domainkey.{domain}"
    return Finding("seal on e-mails (DKIM)", f"signed for {domain}; its public half belongs at {place}")


async def _text_messages(settings: Settings) -> list[Finding]:
    if not settings.sms.providers:
        return [Finding("text messages", "none: no provider is named (sms.providers)")]
    try:
        providers = providers_of(settings, utc_now)(lambda _: None)
    except SettingsError as error:
        return [Finding("text messages", str(error), Mark.FAIL)]
    found = [await _provider(each) for each in providers.values()]
    if settings.sms.callback_secret is None and set(providers) != {"smpp"}:
        words = "no receipts are taken (sms.callback_secret): nobody learns what did not arrive"
        found.append(Finding("text messages", words, Mark.LOOK))
    return found


async def _provider(provider: Provider) -> Finding:
    name = f"text messages by {provider.name}"
    try:
        return Finding(name, await provider.look())
    except (Later, Dead) as trouble:
        return Finding(name, f"cannot be used: {trouble.reason}", Mark.FAIL)
    finally:
        await provider.close()


async def _mobile_push(settings: Settings) -> Finding:
    account = settings.fcm.service_account
    if account is None:
        return Finding("mobile push", "none: no service account is given (fcm.service_account)")
    # It only asks for a token, which needs no words: the key of links is not looked at.
    messages = Messages(settings.city, settings.server.url, Keys(bytes(32)), utc_now)
    try:
        channel = MobilePush(settings.fcm, account, messages, utc_now)
    except SettingsError as error:
        return Finding("mobile push", str(error), Mark.FAIL)
    try:
        return Finding("mobile push", await channel.look())
    except Later as trouble:
        return Finding("mobile push", f"cannot be used: {trouble.reason}", Mark.FAIL)
    finally:
        await channel.close()


def _web_push(settings: Settings) -> Finding:
    push = settings.push
    if not push.enabled:
        return Finding("web push", "none (push.enabled)")
    given = "of the settings" if push.vapid_key else "derived of the master key"
    if settings.secrets.master_key is None and kept_master_key(settings) is None and push.vapid_key is None:
        given = "to be derived of the master key"
    return Finding("web push", f"{len(push.hosts)} push services, key {given}")
