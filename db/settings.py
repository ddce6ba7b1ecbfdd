"""The settings of the whole program: which there are and what they mean. `db/configuration.py` reads them.

All durations are seconds unless the name says otherwise. Defaults that protect are explained in docs/decisions/. Those
of channels and of money stand in modules of their own.
"""

from collections.abc import Iterator
from typing import Annotated, Literal, get_type_hints

from msgspec import Struct, field

from db.settings_base import Section, mask, note, notes
from db.settings_channels import Fcm, Mail, Outbox, Ovh, Push, Quiet, Smpp, Sms, SmsHttp
from db.settings_money import Billing, Cards, Collection, Debit, Money, OtherBank, Payfip, Systempay


class Server(Section, frozen=True):
    """The HTTP server."""

    host: Annotated[str, note("Address to listen on.", min_length=1)] = "127.0.0.1"
    port: Annotated[int, note("Port to listen on; 0 takes any free one.", ge=0, le=65535)] = 8000
    production: Annotated[bool, note("Refuse what only development may do: demo, free queries, introspection.")] = False
    public_url: Annotated[str | None, note("Address that families see, for links; default: host and port.")] = None
    allowed_origins: Annotated[tuple[str, ...], note("Origins of the web apps, comma-separated in a variable.")] = ()
    trusted_proxies: Annotated[
        tuple[str, ...], note("Addresses or networks of proxies whose X-Forwarded-For is believed.")
    ] = ()
    free_queries: Annotated[
        tuple[Literal["ANONYMOUS", "FAMILY", "AGENT", "PARTNER"], ...],
        note("Who may send documents that are not registered, in production; in development everybody may."),
    ] = ()

    public_cache_seconds: Annotated[
        int, note("How long caches may keep public answers to registered documents by GET; 0: not.", ge=0, le=86400)
    ] = 60

    @property
    def secure(self) -> bool:
        """Whether families reach the portal over TLS; in production they do."""
        return self.production or self.url.startswith("https://")

    @property
    def url(self) -> str:
        """The address for links, without a slash at its end."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")


class Database(Section, frozen=True):
    """PostgreSQL."""

    url: Annotated[str | None, note("An outside server; none: the embedded one is started.", secret=True)] = None
    pool_size: Annotated[int, note("Connections of one process, at the most.", ge=1, le=1000)] = 10
    wait: Annotated[float, note("Wait for a free connection, in turn; below limits.deadline.", gt=0)] = 4.0
    command_timeout: Annotated[float, note("Wait for an answer of the database.", gt=0)] = 5.0
    statement_timeout: Annotated[float, note("Time that the database gives a statement.", gt=0)] = 3.0


class Data(Section, frozen=True):
    """What lies on the disk."""

    folder: Annotated[str, note("Embedded database, documents, generated secrets.", min_length=1)] = "data"


class Tokens(Section, frozen=True):
    """Sessions."""

    access_seconds: Annotated[int, note("Life of an access token.", ge=1)] = 600
    refresh_idle_days: Annotated[float, note("A session unused so many days ends.", gt=0)] = 14
    refresh_absolute_days: Annotated[float, note("A session ends after so many days.", gt=0)] = 90
    shared_computer_seconds: Annotated[int, note("Life of a session on a shared computer.", ge=1)] = 1800
    agent_idle_seconds: Annotated[int, note("An agent's session unused so long ends.", ge=1)] = 1800
    agent_absolute_seconds: Annotated[int, note("An agent's session ends after this.", ge=1)] = 28800
    device_days: Annotated[
        float, note("A device unused so long is forgotten; browsers keep a cookie 400 days.", gt=0)
    ] = 400
    kept_days: Annotated[float, note("What is known of an ended session is kept so long, for enquiries.", ge=1)] = 30
    issuer: Annotated[str, note("Claim `iss` of the tokens.", min_length=1)] = "kiosque"
    audience: Annotated[str, note("Claim `aud` of the tokens.", min_length=1)] = "kiosque"


class Agents(Section, frozen=True):
    """City staff."""

    second_factor: Annotated[
        Literal["default", "optional", "required"],
        note("Whether agents must show a second factor; default: required in production."),
    ] = "default"
    challenge_seconds: Annotated[int, note("Time to answer what a sign-in asks.", ge=30, le=3600)] = 300
    password_link_hours: Annotated[float, note("Life of the link by which an agent sets a password.", gt=0)] = 24


class Identity(Section, frozen=True):
    """Families' sign-in by an outside provider (OpenID Connect), such as FranceConnect."""

    issuer: Annotated[str | None, note("Issuer of the provider; none: sign-in by password only.")] = None
    name: Annotated[str, note("Name of the provider, as families know it.", min_length=1)] = "FranceConnect"
    client_id: Annotated[str, note("Identifier of the portal at the provider.")] = ""
    client_secret: Annotated[str | None, note("Secret of the portal at the provider.", secret=True)] = None
    scopes: Annotated[tuple[str, ...], note("Scopes that are asked for, comma-separated in a variable.")] = ("openid",)
    acr_values: Annotated[str | None, note("Level of assurance that is asked for and checked, e.g. eidas1.")] = None
    redirect_uris: Annotated[
        tuple[str, ...],
        note("Pages that browsers come back to; none: /sign-in/provider of the portal."),
    ] = ()
    attempt_seconds: Annotated[int, note("Time for a browser to come back.", ge=60, le=3600)] = 600
    timeout: Annotated[float, note("Wait for the provider.", gt=0, le=60)] = 5.0
    cache_seconds: Annotated[int, note("Life of the provider's description and keys here.", ge=1)] = 3600


class Secrets(Section, frozen=True):
    """Keys."""

    master_key: Annotated[
        str | None,
        note("Base64 of 32 random bytes; made once in the data folder, but must be given in production.", secret=True),
    ] = None


class Limits(Section, frozen=True):
    """What one request, socket or account may ask for."""

    body_bytes: Annotated[int, note("Size of a request body or WebSocket frame.", ge=1024)] = 65536
    tokens: Annotated[int, note("Lexical tokens of a document.", ge=1)] = 1000
    depth: Annotated[int, note("Nesting of a document.", ge=1)] = 12
    aliases: Annotated[int, note("Aliases of a document.", ge=0)] = 30
    directives: Annotated[int, note("Directives of a document.", ge=0)] = 30
    root_fields: Annotated[int, note("Root fields of an operation.", ge=1)] = 20
    fragments: Annotated[int, note("Fragments of a document.", ge=0)] = 30
    cost: Annotated[int, note("Cost of an operation, in points.", ge=1)] = 2000
    throttle: Annotated[
        bool | None, note("Count points of cost and refuse what is too fast; none: in production only.")
    ] = None
    points_per_second: Annotated[float, note("Points that a login may spend in a second.", gt=0)] = 100.0
    points_burst: Annotated[float, note("Points that a login may spend at once.", gt=0)] = 1000.0
    anonymous_points_per_second: Annotated[float, note("The same of an address nobody signed in at.", gt=0)] = 20.0
    anonymous_points_burst: Annotated[float, note("Points that such an address may spend at once.", gt=0)] = 200.0
    deadline: Annotated[float, note("Time for an operation.", gt=0)] = 5.0
    sign_ins_per_address: Annotated[int, note("Failed sign-ins of one network address in an hour.", ge=1)] = 100
    sockets_per_account: Annotated[int, note("Open sockets of an account.", ge=1)] = 5
    operations_per_socket: Annotated[int, note("Operations open on a socket.", ge=1)] = 20
    queue: Annotated[int, note("Messages that may wait for a slow socket.", ge=1)] = 64
    heartbeat: Annotated[float, note("Pause between two pings on a socket.", gt=0)] = 25.0


class Families(Section, frozen=True):
    """Logins of families."""

    logins: Annotated[int, note("Logins of a family.", ge=1, le=100)] = 5
    invitations: Annotated[int, note("Invitations of a family that are open or of the last 24 hours.", ge=1)] = 10
    invitation_days: Annotated[int, note("Days for which an invitation can be accepted.", ge=1, le=30)] = 7


class Jobs(Section, frozen=True):
    """Work that is done later or by the clock."""

    enabled: Annotated[bool, note("Do it in the process of `serve`; else `jobs run` must be called.")] = True
    concurrency: Annotated[int, note("Jobs that one process does at once.", ge=1, le=16)] = 2
    poll: Annotated[float, note("Pause between two looks.", gt=0)] = 1.0
    lease: Annotated[float, note("A job whose process died goes to another after this.", gt=0)] = 60.0
    attempts: Annotated[int, note("Attempts after which a job is put aside.", ge=1)] = 10
    retry_base: Annotated[float, note("First pause before another attempt; it doubles.", gt=0)] = 10.0
    retry_cap: Annotated[float, note("Longest pause before another attempt.", gt=0)] = 3600.0


class Retention(Section, frozen=True):
    """How long data is kept; see docs/privacy.md for purposes and sources."""

    contest_months: Annotated[int, note("Data not kept goes so long after its procedure ended.", ge=0, le=24)] = 2
    procedures_years: Annotated[int, note("Answers and messages of an ended procedure, at the most.", ge=1)] = 5
    news_months: Annotated[int, note("The inbox, and the proof of what was sent.", ge=1)] = 24
    closed_family_years: Annotated[int, note("A closed family is erased after this.", ge=1)] = 10
    exports_days: Annotated[int, note("A family's copy of its data.", ge=1, le=7)] = 7
    idempotency_hours: Annotated[int, note("Keys of repeated requests.", ge=24)] = 24
    jobs_days: Annotated[int, note("Finished jobs.", ge=8)] = 30


class Accounts(Section, frozen=True):
    """Activation and recovery of families' accounts."""

    code_days: Annotated[float, note("Life of an activation code.", gt=0)] = 90
    activations_a_day: Annotated[int, note("Wrong activation codes of a family that are looked at in a day.", ge=1)] = 5
    requests_a_day: Annotated[
        int, note("Activations and reset links that one network address may ask for in a day.", ge=1)
    ] = 100
    resets_an_hour: Annotated[int, note("Messages with a reset link to an account in an hour.", ge=1)] = 3
    email_changes_a_day: Annotated[int, note("Changes of its address that an account may ask for in a day.", ge=1)] = 5
    answer_seconds: Annotated[
        float, note("Least time of activations and reset requests, whether or not there is such an account.", ge=0)
    ] = 0.25


class Documents(Section, frozen=True):
    """What families upload; see docs/uploads.md."""

    file_bytes: Annotated[int, note("Size of a file.", ge=1024, le=2**30)] = 20 * 2**20
    files: Annotated[int, note("Documents of a family.", ge=1)] = 200
    family_bytes: Annotated[int, note("Size of all documents of a family.", ge=1024, le=2**31 - 2**28)] = 200 * 2**20
    per_procedure: Annotated[int, note("Documents of a procedure.", ge=1)] = 20
    upload_seconds: Annotated[float, note("Time for a file to arrive.", gt=0)] = 300.0
    uploads: Annotated[int, note("Files that arrive at one process at once.", ge=1)] = 16
    uploads_per_account: Annotated[int, note("Files that a login sends at once.", ge=1)] = 2
    media_types: Annotated[
        tuple[
            Literal["application/pdf", "image/jpeg", "image/png", "image/heic", "image/webp", "text/plain"],
            ...,
        ],
        note("Types that are taken, comma-separated in a variable.", min_length=1),
    ] = ("application/pdf", "image/jpeg", "image/png", "image/heic", "image/webp", "text/plain")
    expires_days: Annotated[int, note("A document may be filed so long, unless its family says otherwise.", ge=1)] = 365
    expires_years: Annotated[int, note("The longest that its family may say.", ge=1, le=50)] = 15
    unfiled_days: Annotated[int, note("A document not kept that was filed with nothing goes after this.", ge=1)] = 7
    link_seconds: Annotated[int, note("Life of a link to a document.", ge=1, le=3600)] = 300
    storage: Annotated[
        Literal["folder", "s3"], note("Where the files lie: the folder documents of data.folder, or a bucket.")
    ] = "folder"
    bucket: Annotated[str, note("Name of the bucket.")] = ""
    endpoint: Annotated[str | None, note("Address of the S3-compatible server; none: Amazon's.")] = None
    region: Annotated[str, note("Region of the bucket.", min_length=1)] = "eu-west-3"
    access_key: Annotated[str | None, note("Name of the key of the bucket.")] = None
    secret_key: Annotated[str | None, note("Secret of the key of the bucket.", secret=True)] = None
    storage_timeout: Annotated[float, note("Wait for the bucket.", gt=0)] = 10.0
    clamav: Annotated[
        str | None, note("Socket of the virus scanner, host:port or unix:/path; none: files are not scanned.")
    ] = None
    clamav_timeout: Annotated[float, note("Time for the scanner to look at a file.", gt=0)] = 30.0


class Partners(Section, frozen=True):
    """API clients of other organisations."""

    token_seconds: Annotated[int, note("Life of an access token.", ge=30, le=3600)] = 600
    tokens_an_hour: Annotated[int, note("Tokens that a partner may ask for in an hour.", ge=1)] = 120
    default_days: Annotated[int, note("A partner ends after so many days unless said otherwise.", ge=1)] = 365
    longest_days: Annotated[int, note("The longest life of a partner.", ge=1)] = 800
    expiry_notice_days: Annotated[int, note("Its contact is told so many days ahead.", ge=1)] = 30
    spreadsheet_link_seconds: Annotated[int, note("Life of a link to statistics or revenue.", ge=30, le=3600)] = 300
    spreadsheet_rows: Annotated[int, note("Lines of such a file at the most.", ge=1, le=100_000)] = 10_000
    overlap_hours_at_most: Annotated[int, note("Old secrets count no longer than this beside a new one.", ge=0)] = 168


class Webhooks(Section, frozen=True):
    """Sending to addresses of partners."""

    retry_seconds: Annotated[
        tuple[float, ...], note("Pauses between attempts, a fifth more or less; after the last it is given up.")
    ] = (5, 15, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 21600, 28800)
    timeout: Annotated[float, note("Time that a receiver has to answer.", gt=0, le=30)] = 10.0
    answer_bytes: Annotated[int, note("How much of an answer is read and kept for the journal.", ge=0)] = 1000
    lease_margin: Annotated[float, note("An address whose dispatcher died is taken over so long after.", gt=0)] = 15.0
    at_once: Annotated[
        int,
        note(
            "Addresses worked on at once; slow ones and those that hang take half of the places at the most.",
            ge=2,
            le=5000,
        ),
    ] = 1000
    poll: Annotated[float, note("Pause between two looks when nothing rings.", gt=0)] = 0.5
    journal_days: Annotated[float, note("What was sent is kept so long, for replay.", gt=0)] = 7
    each_partner: Annotated[int, note("Addresses of a partner that are at work.", ge=1)] = 5
    replay_at_most: Annotated[int, note("Deliveries that one call sends again.", ge=1, le=100_000)] = 10_000
    private_networks: Annotated[
        tuple[str, ...], note("Networks inside that may be written to all the same: for development and tests.")
    ] = ()


class City(Section, frozen=True):
    """The city and its help desk; stands in every message and in refusals that a family cannot mend alone (R40)."""

    name: Annotated[str, note("Name of the city.", min_length=1)] = "Ville de démonstration"
    reference_prefix: Annotated[str, note("Begins the reference of every procedure.", pattern=r"^[A-Z]{2,5}$")] = "PES"
    time_zone: Annotated[str, note("Time zone of opening hours; deadlines count in Paris.")] = "Europe/Paris"
    school_zone: Annotated[Literal["A", "B", "C"], note("Zone of the school holidays.")] = "A"
    contact_phone: Annotated[str, note("Telephone of the help desk.")] = "05 00 00 00 00"
    contact_email: Annotated[str, note("Address of the help desk.")] = "kiosque@ville.example"
    contact_hours: Annotated[str, note("When the help desk answers, in French.")] = (
        "du lundi au vendredi, de 8 h 30 à 17 h 30"
    )
    contact_hours_en: Annotated[str, note("The same in English.")] = "Monday to Friday, 8.30 am to 5.30 pm"
    court: Annotated[str, note("Administrative court and its address; stands in acknowledgements of receipt.")] = (
        "Tribunal administratif de Bordeaux, 9 rue Tastet, 33000 Bordeaux (www.telerecours.fr)"
    )


class LegalClock(Section, frozen=True):
    """Deadlines of procedures; see docs/legal-clock.md."""

    remind_days: Annotated[
        int, note("Agents get a task so many days before silence decides; 0: no tasks.", ge=0, le=60)
    ] = 10
    certificate_link_seconds: Annotated[int, note("Life of a link to a certificate.", ge=30, le=86400)] = 300
    certificate_timeout: Annotated[float, note("Time to set a certificate in type.", gt=0, le=60)] = 10.0


class Demo(Section, frozen=True):
    """The demonstration city and its peers on this machine."""

    enabled: Annotated[bool | None, note("Load it; none: when the embedded database is empty.")] = None
    families: Annotated[int, note("Families of the city.", ge=1, le=100_000)] = 200
    seed: Annotated[int, note("Another number makes another city.")] = 2026
    smtp_port: Annotated[int, note("Port of the mail catcher; 0 takes any free one.", ge=0, le=65535)] = 1025
    identity: Annotated[bool, note("Start a provider of sign-in too, when identity.issuer names none.")] = False
    identity_port: Annotated[int, note("Port of that provider; 0 takes any free one.", ge=0, le=65535)] = 8001
    bank: Annotated[bool, note("Start banks that take cards, when the settings name none.")] = True
    bank_port: Annotated[int, note("Port of those banks; 0 takes any free one.", ge=0, le=65535)] = 8002


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """All settings, one section each."""

    server: Server = field(default_factory=Server)
    database: Database = field(default_factory=Database)
    data: Data = field(default_factory=Data)
    mail: Mail = field(default_factory=Mail)
    sms: Sms = field(default_factory=Sms)
    ovh: Ovh = field(default_factory=Ovh)
    sms_http: SmsHttp = field(default_factory=SmsHttp)
    smpp: Smpp = field(default_factory=Smpp)
    push: Push = field(default_factory=Push)
    fcm: Fcm = field(default_factory=Fcm)
    quiet: Quiet = field(default_factory=Quiet)
    tokens: Tokens = field(default_factory=Tokens)
    agents: Agents = field(default_factory=Agents)
    identity: Identity = field(default_factory=Identity)
    secrets: Secrets = field(default_factory=Secrets)
    limits: Limits = field(default_factory=Limits)
    outbox: Outbox = field(default_factory=Outbox)
    families: Families = field(default_factory=Families)
    jobs: Jobs = field(default_factory=Jobs)
    retention: Retention = field(default_factory=Retention)
    accounts: Accounts = field(default_factory=Accounts)
    documents: Documents = field(default_factory=Documents)
    partners: Partners = field(default_factory=Partners)
    webhooks: Webhooks = field(default_factory=Webhooks)
    billing: Billing = field(default_factory=Billing)
    city: City = field(default_factory=City)
    legal_clock: LegalClock = field(default_factory=LegalClock)
    money: Money = field(default_factory=Money)
    cards: Cards = field(default_factory=Cards)
    systempay: Systempay = field(default_factory=Systempay)
    payfip: Payfip = field(default_factory=Payfip)
    other_bank: OtherBank = field(default_factory=OtherBank)
    debit: Debit = field(default_factory=Debit)
    collection: Collection = field(default_factory=Collection)
    demo: Demo = field(default_factory=Demo)


def sections() -> dict[str, type[Section]]:
    """Give the sections by name."""
    return get_type_hints(Settings)


def described(settings: Settings) -> Iterator[tuple[str, str, str]]:
    """Give every setting: `section.name`, its value as it may be shown, what it means."""
    for section_name, kind in sections().items():
        section = getattr(settings, section_name)
        for name, meta in notes(kind).items():
            yield f"{section_name}.{name}", mask(meta, getattr(section, name)), meta.description or ""
