"""The settings: who wins, what is refused and how, what is never shown."""

import base64
from pathlib import Path

import pytest

from db.configuration import SettingsError, load, read
from db.settings import described

KEY = base64.b64encode(bytes(range(32))).decode()


def refusal(
    file: Path | None = None, environ: dict[str, str] | None = None, overrides: dict[str, object] | None = None
) -> str:
    with pytest.raises(SettingsError) as caught:
        read(file, environ or {}, overrides or {})
    return str(caught.value)


@pytest.fixture
def toml(tmp_path: Path) -> Path:
    return tmp_path / "kiosque.toml"


def test_without_anything_given_the_defaults_hold() -> None:
    settings = read(None, {"PATH": "/bin"}, {})
    assert (settings.server.host, settings.server.port, settings.limits.depth) == ("127.0.0.1", 8000, 12)
    assert settings.server.url == "http://127.0.0.1:8000"


def test_the_stronger_source_wins(toml: Path, tmp_path: Path) -> None:
    toml.write_text("[server]\nhost = '10.0.0.1'\nport = 1\npublic_url = 'https://a.example/'\n[mail]\nport = 26\n")
    kept = tmp_path / "port"
    kept.write_text("3\n")
    environ = {"KIOSQUE_SERVER__PORT": "2", "KIOSQUE_SERVER__PORT_FILE": str(kept), "KIOSQUE_MAIL__PORT": "27"}
    settings = read(toml, environ, {"mail.port": 28, "server.host": None})
    assert (settings.server.host, settings.server.port, settings.mail.port) == ("10.0.0.1", 3, 28)
    assert settings.server.url == "https://a.example"


def test_a_variable_is_read_in_the_type_of_its_setting() -> None:
    environ = {
        "KIOSQUE_SERVER__PRODUCTION": "true",
        "KIOSQUE_SERVER__ALLOWED_ORIGINS": "https://a.example, https://b.example",
        "KIOSQUE_OUTBOX__POLL": "0.25",
        "KIOSQUE_SECRETS__MASTER_KEY": KEY,
    }
    settings = read(None, environ, {})
    assert settings.server.production is True
    assert settings.server.allowed_origins == ("https://a.example", "https://b.example")
    assert settings.outbox.poll == 0.25


def test_an_unknown_name_is_refused_with_the_nearest_one(toml: Path) -> None:
    toml.write_text("[server]\nprot = 1\n")
    assert "no setting server.prot" in refusal(toml) and "did you mean server.port?" in refusal(toml)
    toml.write_text("[sever]\n")
    assert "no setting sever" in refusal(toml)
    assert "did you mean KIOSQUE_SERVER__PORT?" in refusal(environ={"KIOSQUE_SERVER__PROT": "1"})
    assert "did you mean KIOSQUE_MAIL__PASSWORD_FILE?" in refusal(environ={"KIOSQUE_MAIL__PASWORD_FILE": "/none"})
    assert "no setting KIOSQUE_PORT" in refusal(environ={"KIOSQUE_PORT": "1"})
    assert "did you mean server.port?" in refusal(overrides={"server.prot": 1})


def test_a_wrong_value_is_refused_with_what_is_wanted(toml: Path) -> None:
    toml.write_text("[server]\nport = '8000'\n")
    assert "server.port" in refusal(toml) and "Expected `int`" in refusal(toml)
    text = refusal(environ={"KIOSQUE_SERVER__PORT": "70000"})
    assert "server.port (KIOSQUE_SERVER__PORT)" in text and "<= 65535" in text and "'70000'" in text
    assert "never, opportunistic, required" in refusal(environ={"KIOSQUE_MAIL__STARTTLS": "often"})
    for proxies in ("10.0.0.1/8", "proxy.example", "127.0.0.1,::/129"):
        assert "server.trusted_proxies" in refusal(environ={"KIOSQUE_SERVER__TRUSTED_PROXIES": proxies})
    assert "Europe/Pessac" in refusal(environ={"KIOSQUE_CITY__TIME_ZONE": "Europe/Pessac"})


def test_a_file_that_cannot_be_read_is_named(toml: Path) -> None:
    assert str(toml) in refusal(toml)
    toml.write_text("port = = 1")
    assert str(toml) in refusal(toml)
    assert "KIOSQUE_MAIL__PASSWORD_FILE" in refusal(environ={"KIOSQUE_MAIL__PASSWORD_FILE": str(toml.parent / "none")})


def test_secrets_are_never_shown() -> None:
    environ = {"KIOSQUE_MAIL__PASSWORD": "hunter2", "KIOSQUE_DATABASE__URL": "postgresql://u:hunter2@h/d"}
    settings = read(None, {**environ, "KIOSQUE_SECRETS__MASTER_KEY": KEY}, {})
    shown = repr(settings) + "".join(value for _, value, _ in described(settings))
    assert "hunter2" not in shown and KEY not in shown and "password=***" in shown
    assert "hunter2" not in refusal(environ={"KIOSQUE_SECRETS__MASTER_KEY": "hunter2"})


def test_the_master_key_is_made_once_and_for_us_only(tmp_path: Path) -> None:
    folder = {"data.folder": tmp_path / "data"}
    first, second = load(None, {}, folder), load(None, {}, folder)
    assert first.secrets.master_key == second.secrets.master_key
    assert len(base64.b64decode(first.secrets.master_key or "")) == 32
    assert (tmp_path / "data" / "secrets.toml").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["secrets.toml"]


def test_production_wants_the_master_key_and_makes_none(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="master_key must be given in production"):
        load(None, {}, {"data.folder": tmp_path, "server.production": True})
    assert list(tmp_path.iterdir()) == []


def test_every_setting_says_what_it_means() -> None:
    names = [name for name, _, meaning in described(read(None, {}, {})) if meaning]
    assert "server.port" in names and len(names) == len(list(described(read(None, {}, {}))))
