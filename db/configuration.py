"""Where the settings are read from; `db/settings.py` says which there are.

TOML file < `KIOSQUE_SECTION__NAME` < `KIOSQUE_SECTION__NAME_FILE` (the value is what that file holds) < command line.
A name that does not exist stops the start, and the nearest one that does is named.
"""

import base64
import binascii
import difflib
import importlib.util
import ipaddress
import os
import secrets
import tomllib
import zoneinfo
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit

import msgspec

from db.settings import Settings, sections
from db.settings_base import mask

PREFIX = "KIOSQUE_"
NOT_SETTINGS = {"KIOSQUE_CRASH_AT"}
"""Variables of our own that are no settings: where a crash test ends the process."""

KEY_BYTES = 32


class SettingsError(Exception):
    """The settings cannot be used; the text names the setting and says what is wanted."""


@dataclass(frozen=True)
class Given:
    """A value that somebody gave for the setting `name` (`section.name`)."""

    name: str
    value: Any
    source: str
    """Where it was given, in the words of the one who gave it."""


def load(file: Path | None, environ: Mapping[str, str], overrides: Mapping[str, object] | None = None) -> Settings:
    """Read the settings, and outside production make the master key when there is none.

    `overrides` come from the command line, named `section.name`; `None` means not given. Raises SettingsError.
    """
    return with_master_key(read(file, environ, overrides or {}))


def read(file: Path | None, environ: Mapping[str, str], overrides: Mapping[str, object]) -> Settings:
    """Read the settings; nothing is made. Raises SettingsError."""
    kinds = {f"{section}.{name}": kind for section, cls in sections().items() for name, kind in _kinds(cls).items()}
    values: dict[str, dict[str, object]] = {section: {} for section in sections()}
    for given in _given(file, environ, overrides):
        if given.name not in kinds:
            raise SettingsError(_unknown(given, list(kinds)))
        section, _, name = given.name.partition(".")
        values[section][name] = _converted(given, kinds[given.name])
    read_sections: dict[str, Any] = {section: cls(**values[section]) for section, cls in sections().items()}
    settings = Settings(**read_sections)
    _check(settings)
    return settings


def _kinds(section: type) -> dict[str, Any]:
    return get_type_hints(section, include_extras=True)


def _given(file: Path | None, environ: Mapping[str, str], overrides: Mapping[str, object]) -> Iterator[Given]:
    """Give all values, the stronger after the weaker."""
    if file is not None:
        yield from _of_file(file)
    variables = [(variable, value) for variable, value in environ.items() if _is_setting(variable)]
    variables.sort(key=lambda pair: _is_file(pair[0]))
    yield from (Given(_dotted(variable.removesuffix("_FILE")), value, variable) for variable, value in variables)
    yield from (Given(name, value, "command line") for name, value in overrides.items() if value is not None)


def _of_file(file: Path) -> Iterator[Given]:
    try:
        content = tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"The settings file {file} cannot be read: {error}") from error
    for section, settings in content.items():
        if isinstance(settings, dict) and settings:
            yield from (Given(f"{section}.{name}", value, str(file)) for name, value in settings.items())
        elif settings != {} or section not in sections():
            yield Given(section, settings, str(file))


def _content(variable: str, path: str) -> str:
    try:
        return Path(path).read_text("utf-8").rstrip("\r\n")
    except (OSError, ValueError) as error:
        raise SettingsError(f"{variable} names a file that cannot be read: {error}") from error


def _is_setting(variable: str) -> bool:
    return variable.startswith(PREFIX) and variable not in NOT_SETTINGS


def _is_file(variable: str) -> bool:
    return variable.startswith(PREFIX) and variable.endswith("_FILE")


def _dotted(variable: str) -> str:
    return variable.removeprefix(PREFIX).lower().replace("__", ".")


def _variable(name: str) -> str:
    return PREFIX + name.upper().replace(".", "__")


def _unknown(given: Given, known: list[str]) -> str:
    nearest = difflib.get_close_matches(given.name, known, n=1, cutoff=0)[0]
    if given.source.startswith(PREFIX):
        suffix = "_FILE" if _is_file(given.source) else ""
        return f"There is no setting {given.source}; did you mean {_variable(nearest)}{suffix}?"
    return f"There is no setting {given.name} ({given.source}); did you mean {nearest}?"


def _converted(given: Given, kind: Any) -> object:
    """Give the value in its type: a text file's values must have it, a variable's are text and are read as it."""
    plain, meta = kind.__origin__, kind.__metadata__[0]
    value = str(given.value) if isinstance(given.value, Path) else given.value
    from_text = given.source.startswith(PREFIX)
    if _is_file(given.source):
        value = _content(given.source, value)
    if from_text and get_origin(plain) is tuple:
        value = [part.strip() for part in value.split(",") if part.strip()]
    if from_text and get_origin(plain) is dict:
        value = dict(part.strip().split("=", 1) for part in value.split(",") if "=" in part)
    try:
        return msgspec.convert(value, kind, strict=not from_text)
    except msgspec.ValidationError as error:
        wanted = f"Expected one of {', '.join(get_args(plain))}" if get_origin(plain) is Literal else str(error)
        raise SettingsError(f"{given.name} ({given.source}): {wanted}; given was {mask(meta, value)}.") from error


def _check(settings: Settings) -> None:
    """Check what a type cannot say."""
    if settings.city.time_zone not in zoneinfo.available_timezones():
        raise SettingsError(f"city.time_zone: there is no time zone {settings.city.time_zone!r}.")
    for proxy in settings.server.trusted_proxies:
        _check_network("server.trusted_proxies", proxy)
    key = settings.secrets.master_key
    if key is not None and not is_master_key(key):
        raise SettingsError(f"secrets.master_key: Expected base64 of {KEY_BYTES} bytes (openssl rand -base64 32).")
    if key is None and settings.server.production:
        raise SettingsError("secrets.master_key must be given in production (openssl rand -base64 32).")
    issuer = settings.identity.issuer
    if issuer is not None and not is_secure(issuer):
        raise SettingsError("identity.issuer: Expected an https address (http on 127.0.0.1 only).")
    if issuer is not None and not settings.identity.client_id:
        raise SettingsError("identity.client_id must be given with identity.issuer.")
    documents = settings.documents
    if documents.storage == "s3" and not documents.bucket:
        raise SettingsError("documents.bucket must be given with documents.storage = s3.")
    if documents.storage == "s3" and importlib.util.find_spec("obstore") is None:
        raise SettingsError("documents.storage = s3 needs the package obstore (the extra s3), which is not installed.")
    if documents.endpoint is not None and not is_secure(documents.endpoint):
        raise SettingsError("documents.endpoint: Expected an https address (http on 127.0.0.1 only).")
    if documents.clamav is not None and scanner_address(documents.clamav) is None:
        raise SettingsError("documents.clamav: Expected host:port or unix:/path.")
    _check_banks(settings)
    if settings.server.production and settings.demo.enabled:
        raise SettingsError("demo.enabled: the demonstration has known passwords and cannot run in production.")


def _check_banks(settings: Settings) -> None:
    systempay = settings.systempay
    if systempay.site_id is not None and systempay.key is None:
        raise SettingsError("systempay.key must be given with systempay.site_id.")
    for name, number, digits in (
        ("systempay.site_id", systempay.site_id, 8),
        ("payfip.numcli", settings.payfip.numcli, 6),
    ):
        if number is not None and not (number.isascii() and number.isdigit() and len(number) == digits):
            raise SettingsError(f"{name}: Expected {digits} digits.")
    addresses = {
        "systempay.form_url": systempay.form_url,
        "systempay.rest_url": systempay.rest_url,
        "payfip.wsdl_url": settings.payfip.wsdl_url or settings.payfip.page_url,
        "payfip.page_url": settings.payfip.page_url,
    }
    for name, address in addresses.items():
        if not is_secure(address):
            raise SettingsError(f"{name}: Expected an https address (http on 127.0.0.1 only).")
    if settings.server.production and settings.cards.test:
        raise SettingsError("cards.test: payments of a test platform are no money and cannot count in production.")


def _check_network(name: str, text: str) -> None:
    try:
        ipaddress.ip_network(text)
    except ValueError as error:
        raise SettingsError(f"{name}: Expected addresses or networks such as 10.0.0.0/8; {error}.") from error


def is_secure(url: str) -> bool:
    """Whether what is asked of an address goes over TLS, or stays on this machine."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme, parts.hostname) == ("http", "127.0.0.1"))


def scanner_address(text: str) -> str | tuple[str, int] | None:
    """Read the address of a virus scanner: a path, or host and port; None for anything else."""
    if text.startswith("unix:/"):
        return text.removeprefix("unix:")
    host, _, port = text.rpartition(":")
    return (host.strip("[]"), int(port)) if host and port.isdecimal() and 0 < int(port) < 65536 else None


def is_master_key(text: str) -> bool:
    """Whether a text is base64 of 32 bytes."""
    try:
        return len(base64.b64decode(text, validate=True)) == KEY_BYTES
    except (binascii.Error, ValueError):
        return False


def with_master_key(settings: Settings) -> Settings:
    """Give the settings with the master key of the data folder when none was given; it is made at the first use."""
    if settings.secrets.master_key is not None:
        return settings
    file = _secrets_file(settings)
    try:
        if not file.exists():
            _make_secrets(file)
    except OSError as error:
        raise SettingsError(f"The data folder cannot be used: {error.strerror}: {error.filename}.") from error
    key = kept_master_key(settings)
    return msgspec.structs.replace(settings, secrets=msgspec.structs.replace(settings.secrets, master_key=key))


def kept_master_key(settings: Settings) -> str | None:
    """Give the master key of the data folder, None before it was made. Raises SettingsError."""
    file = _secrets_file(settings)
    if not file.exists():
        return None
    kept = read(file, {}, {}).secrets
    if kept.master_key is None:
        raise SettingsError(f"{file} holds no secrets.master_key.")
    return kept.master_key


def _secrets_file(settings: Settings) -> Path:
    return Path(settings.data.folder, "secrets.toml")


def _make_secrets(file: Path) -> None:
    """Make the file whole, readable by us only; of two programs that make it at once, one wins for both."""
    if not file.parent.exists():
        file.parent.mkdir(parents=True)
        file.parent.chmod(0o755)  # the database server's user passes through
    key = base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()
    fresh = file.with_name(f"{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as output:
        output.write(f'# Made at the first start; keep it secret and keep a copy.\n[secrets]\nmaster_key = "{key}"\n')
    try:
        os.link(fresh, file)
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
