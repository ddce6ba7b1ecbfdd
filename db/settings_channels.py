"""The settings of the channels that messages take: mail, text messages, push, and the outbox before them."""

from typing import Annotated, Literal

from db.settings_base import Section, note


class Mail(Section, frozen=True):
    """The mail relay."""

    host: Annotated[str, note("Name of the relay.", min_length=1)] = "127.0.0.1"
    port: Annotated[int, note("Port of the relay.", ge=1, le=65535)] = 25
    username: Annotated[str | None, note("Account at the relay; none: no sign-in.")] = None
    password: Annotated[str | None, note("Password of that account.", secret=True)] = None
    starttls: Annotated[
        Literal["never", "opportunistic", "required"],
        note("Encrypt the connection: never, when offered, or refuse to send without."),
    ] = "opportunistic"
    sender: Annotated[str, note("Address that messages come from.", pattern=r"^[^@\s]+@[^@\s]+$")] = "kiosque@localhost"
    sender_name: Annotated[str, note("Name beside that address.")] = "Kiosque famille"
    timeout: Annotated[float, note("Wait for the relay.", gt=0)] = 20.0
    connections: Annotated[int, note("Connections to the relay, at the most.", ge=1, le=100)] = 4
    connections_per_domain: Annotated[int, note("Messages at once to addresses of one domain.", ge=1, le=100)] = 2
    bounces: Annotated[
        str,
        note(
            "Mailbox that bounces come back to (+ is put behind its name, docs/channels.md); none: to the sender.",
            pattern=r"^([^@\s+]{1,24}@[^@\s]+)?$",
        ),
    ] = ""
    bounce_secret: Annotated[
        str | None, note("Secret by which the relay reports bounces to /mail/bounces; none: it cannot.", secret=True)
    ] = None
    bounce_wait: Annotated[float, note("What bounced for now is sent again after this.", gt=0)] = 14400.0
    dkim_key: Annotated[
        str | None,
        note("RSA private key (PEM) to sign messages with (DKIM); none: the relay signs, or nobody.", secret=True),
    ] = None
    dkim_selector: Annotated[
        str, note("Selector of that key.", pattern=r"^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$")
    ] = "kiosque"


class Sms(Section, frozen=True):
    """Text messages: which providers carry them, in which order, and what is expected of them."""

    providers: Annotated[
        tuple[Literal["ovh", "http", "smpp"], ...],
        note("Providers in the order of preference, each with a section of its own; none: no text messages."),
    ] = ()
    sender: Annotated[str, note("Name that phones show.", pattern=r"^[A-Za-z0-9 ]{3,11}$")] = "KIOSQUE"
    segments: Annotated[int, note("Messages that one text may be paid as; it is cut to that.", ge=1, le=10)] = 3
    countries: Annotated[
        tuple[str, ...], note("Regions (ISO 3166) whose mobile numbers are accepted, comma-separated in a variable.")
    ] = ("FR", "GP", "MQ", "GF", "RE", "YT", "PM", "BL", "MF", "NC", "PF", "WF")
    codes_a_day: Annotated[int, note("Codes sent to one number, and asked for by one login, in a day.", ge=1)] = 5
    code_seconds: Annotated[int, note("Life of such a code.", ge=60, le=86400)] = 900
    callback_secret: Annotated[
        str | None,
        note("Secret of the providers' receipts and of incoming messages; none: none are taken.", secret=True),
    ] = None
    receipt_seconds: Annotated[float, note("Without a receipt after this the next channel is tried.", gt=0)] = 3600.0
    slow_seconds: Annotated[float, note("A text message that takes longer counts as slow.", gt=0)] = 300.0
    slow_share: Annotated[float, note("Share of slow ones at which a provider goes last.", gt=0, le=1)] = 0.15
    slow_window: Annotated[float, note("Time over which that share is taken.", gt=0)] = 900.0
    slow_least: Annotated[int, note("Text messages that must be judged for it.", ge=1)] = 7
    demoted_seconds: Annotated[float, note("Time for which a slow provider goes last.", gt=0)] = 1800.0


class Ovh(Section, frozen=True):
    """OVHcloud's API of text messages."""

    url: Annotated[str, note("Address of the API, without a slash at its end.")] = "https://eu.api.ovh.com/1.0"
    service: Annotated[str, note("Name of the service, sms-xx12345-1.", pattern=r"^[A-Za-z0-9-]*$")] = ""
    application_key: Annotated[str, note("Key of the application.")] = ""
    application_secret: Annotated[str | None, note("Secret of the application.", secret=True)] = None
    consumer_key: Annotated[str | None, note("Key of the consumer.", secret=True)] = None
    timeout: Annotated[float, note("Wait for an answer.", gt=0, le=20)] = 8.0
    connections: Annotated[int, note("Requests at once.", ge=1, le=100)] = 8
    rate: Annotated[float, note("Messages a second, of all dispatchers together.", gt=0)] = 20.0


class SmsHttp(Section, frozen=True):
    """Any other provider of text messages that takes JSON; see docs/channels.md."""

    url: Annotated[str, note("Address that messages are posted to.")] = ""
    token: Annotated[str | None, note("Bearer token.", secret=True)] = None
    timeout: Annotated[float, note("Wait for an answer.", gt=0, le=20)] = 8.0
    connections: Annotated[int, note("Requests at once.", ge=1, le=100)] = 8
    rate: Annotated[float, note("Messages a second, of all dispatchers together.", gt=0)] = 20.0


class Smpp(Section, frozen=True):
    """A centre of text messages by SMPP 3.4; needs the extra `smpp`."""

    host: Annotated[str, note("Name of the centre.")] = ""
    port: Annotated[int, note("Its port.", ge=1, le=65535)] = 2775
    tls: Annotated[bool, note("Encrypt the connection.")] = True
    system_id: Annotated[str, note("Account at the centre.", max_length=15)] = "kiosque"
    password: Annotated[str | None, note("Password of that account, 8 characters at the most.", secret=True)] = None
    timeout: Annotated[float, note("Wait for an answer, and for a new session.", gt=0, le=20)] = 5.0
    window: Annotated[int, note("Messages without an answer at once.", ge=1, le=100)] = 8
    rate: Annotated[float, note("Messages a second, of all dispatchers together.", gt=0)] = 20.0


class Push(Section, frozen=True):
    """Push messages of browsers (RFC 8030, 8291, 8292)."""

    enabled: Annotated[bool, note("Offer them.")] = True
    hosts: Annotated[
        tuple[str, ...],
        note("Push services that are believed, with their subdomains, comma-separated in a variable."),
    ] = (
        "fcm.googleapis.com",
        "push.services.mozilla.com",
        "notify.windows.com",
        "push.apple.com",
    )
    vapid_key: Annotated[
        str | None, note("P-256 private key, base64url of 32 bytes; none: derived of the master key.", secret=True)
    ] = None
    keep_seconds: Annotated[int, note("How long a push service keeps a message for a device.", ge=60)] = 86400
    devices: Annotated[int, note("Devices of a login, browsers and apps each; the oldest makes room.", ge=1)] = 10
    timeout: Annotated[float, note("Wait for an answer.", gt=0, le=20)] = 8.0
    connections: Annotated[int, note("Requests at once.", ge=1, le=100)] = 16


class Fcm(Section, frozen=True):
    """Push messages of the mobile apps by Firebase Cloud Messaging (HTTP v1)."""

    service_account: Annotated[str | None, note("The service account's JSON; none: no mobile push.", secret=True)] = (
        None
    )
    url: Annotated[str, note("Address of the service.")] = "https://fcm.googleapis.com"
    timeout: Annotated[float, note("Wait for an answer.", gt=0, le=20)] = 8.0
    connections: Annotated[int, note("Requests at once.", ge=1, le=100)] = 16


class Quiet(Section, frozen=True):
    """Hours in which nothing rings; city.time_zone says whose clock."""

    starts: Annotated[str, note("From, HH:MM.", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "21:00"
    ends: Annotated[str, note("Until, HH:MM; the same as the start: never.", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = (
        "08:00"
    )


class Outbox(Section, frozen=True):
    """Delivery of messages."""

    lease: Annotated[float, note("Time for which a worker owns a lane.", gt=0)] = 30.0
    poll: Annotated[float, note("Pause between two looks when nothing rings.", gt=0)] = 0.5
    crashes: Annotated[int, note("Crashes after which a delivery is put aside.", ge=1)] = 3
    retry_base: Annotated[float, note("First pause before another try; it doubles.", gt=0)] = 5.0
    retry_cap: Annotated[float, note("Longest pause before another try.", gt=0)] = 900.0
    retry_for: Annotated[float, note("After this the next channel is tried.", gt=0)] = 259200.0
    lanes: Annotated[int, note("Lanes worked on at once.", ge=1, le=1000)] = 32
    broadcast_batch: Annotated[
        int, note("Families that one transaction tells what the whole city is told.", ge=1, le=5000)
    ] = 200
    ready_age: Annotated[float, note("Age of the oldest message at which `/ready` says no.", gt=0)] = 60.0
