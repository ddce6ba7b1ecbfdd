"""The settings of the whole program: which there are and what they mean. `db/configuration.py` reads them.

All durations are seconds unless the name says otherwise. Defaults that protect are explained in docs/decisions/.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, get_type_hints

from msgspec import Meta, Struct, field


def note(text: str, *, secret: bool = False, **bounds: Any) -> Meta:
    """Say what a setting means, which bounds it has, and whether its value may be shown."""
    return Meta(description=text, extra={"secret": secret}, **bounds)


class Section(Struct, frozen=True, forbid_unknown_fields=True):
    """A group of settings; the `repr` masks secrets."""

    def __repr__(self) -> str:
        metas = notes(type(self))
        shown = (f"{name}={mask(metas[name], getattr(self, name))}" for name in self.__struct_fields__)
        return f"{type(self).__name__}({', '.join(shown)})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        metas = notes(type(self))
        return [(name, mask(metas[name], getattr(self, name))) for name in self.__struct_fields__]


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
    command_timeout: Annotated[float, note("Wait for an answer of the database.", gt=0)] = 5.0
    statement_timeout: Annotated[float, note("Time that the database gives a statement.", gt=0)] = 3.0


class Data(Section, frozen=True):
    """What lies on the disk."""

    folder: Annotated[str, note("Embedded database, documents, generated secrets.", min_length=1)] = "data"


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
        float, note("Time that activations and reset requests take, whether or not there is such an account.", ge=0)
    ] = 0.25


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


class Demo(Section, frozen=True):
    """The demonstration city and its peers on this machine."""

    enabled: Annotated[bool | None, note("Load it; none: when the embedded database is empty.")] = None
    families: Annotated[int, note("Families of the city.", ge=1, le=100_000)] = 200
    seed: Annotated[int, note("Another number makes another city.")] = 2026
    smtp_port: Annotated[int, note("Port of the mail catcher; 0 takes any free one.", ge=0, le=65535)] = 1025
    identity: Annotated[bool, note("Start a provider of sign-in too, when identity.issuer names none.")] = False
    identity_port: Annotated[int, note("Port of that provider; 0 takes any free one.", ge=0, le=65535)] = 8001


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """All settings, one section each."""

    server: Server = field(default_factory=Server)
    database: Database = field(default_factory=Database)
    data: Data = field(default_factory=Data)
    mail: Mail = field(default_factory=Mail)
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
    city: City = field(default_factory=City)
    demo: Demo = field(default_factory=Demo)


def sections() -> dict[str, type[Section]]:
    """Give the sections by name."""
    return get_type_hints(Settings)


def notes(section: type[Section]) -> dict[str, Meta]:
    """Give the note of every setting of a section."""
    return {name: kind.__metadata__[0] for name, kind in get_type_hints(section, include_extras=True).items()}


def mask(meta: Meta, value: object) -> str:
    """Write a value as it may be shown."""
    return "***" if value is not None and (meta.extra or {}).get("secret") else repr(value)


def described(settings: Settings) -> Iterator[tuple[str, str, str]]:
    """Give every setting: `section.name`, its value as it may be shown, what it means."""
    for section_name, kind in sections().items():
        section = getattr(settings, section_name)
        for name, meta in notes(kind).items():
            yield f"{section_name}.{name}", mask(meta, getattr(section, name)), meta.description or ""
