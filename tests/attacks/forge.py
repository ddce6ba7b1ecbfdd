"""Access tokens as an attacker would make them: everything but the one form that the portal issues.

RFC 8725 (JWT best practices) and the published attacks on JWT libraries; the names say what each tries. Those signed
with the portal's own key stand for a fault elsewhere: even then a token that is not exactly an access token of now does
not count.
"""

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import asyncpg
import jwt
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hmac import HMAC

from notifications.links import LINKS
from tests.house import KEYS

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
REQUIRED = ("exp", "iat", "aud", "iss", "sub", "sid", "typ")
"""Claims without which a token does not count (docs/decisions: sessions)."""

WRONG: tuple[Any, ...] = (None, "", [], {}, "x", -1, 0, 1e300, True, [[]])

HARMLESS: Mapping[str, tuple[Any, ...]] = {"sub": ("", "x"), "iat": (-1, 0, True)}
"""Whose token it is stands in its session, and an early beginning ends no later."""

ORDER = 2**252 + 27742317777372353535851937790883648493
"""Of the group of Ed25519; a signature whose second half is raised by it must not pass (RFC 8032, 5.1.7)."""

Signer = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Genuine:
    """A good token, and what an attacker does not have: the key that signed it."""

    token: str
    key: Ed25519PrivateKey

    @property
    def header(self) -> dict[str, Any]:
        """Its header."""
        return dict(jwt.get_unverified_header(self.token))

    @property
    def claims(self) -> dict[str, Any]:
        """Its claims."""
        return dict(jwt.decode(self.token, options={"verify_signature": False}))

    @property
    def parts(self) -> list[str]:
        """Header, claims and signature as they stand in it."""
        return self.token.split(".")

    def signed(self, *, header: Mapping[str, Any] | None = None, claims: Mapping[str, Any] | None = None) -> str:
        """Make a token with the portal's own key; what is given replaces what a good one has, `...` leaves it out."""
        return written(_changed(self.header, header), _changed(self.claims, claims), self.key.sign)

    @property
    def public(self) -> dict[str, bytes]:
        """The public key in all the forms in which somebody may know it."""
        public = self.key.public_key()
        raw = public.public_bytes_raw()
        pem, der = (
            public.public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo)
            for encoding in (serialization.Encoding.PEM, serialization.Encoding.DER)
        )
        ssh = public.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
        jwk = json.dumps({"kty": "OKP", "crv": "Ed25519", "x": b64(raw)}).encode()
        return {"raw": raw, "PEM": pem, "PEM without its last line": pem.strip(), "DER": der, "SSH": ssh, "JWK": jwk}


async def genuine(connection: asyncpg.Connection, token: str) -> Genuine:
    """Find the key that signed a token where the portal keeps it, sealed."""
    kid = jwt.get_unverified_header(token)["kid"]
    sealed = await connection.fetchval("select sealed_private_key from signing_key where kid = $1", kid)
    return Genuine(token, Ed25519PrivateKey.from_private_bytes(KEYS.unseal("signing-key", sealed)))


def b64(value: bytes) -> str:
    """Write bytes as JWS does."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    """Read what `b64` wrote."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def written(header: Any, claims: Any, sign: Signer) -> str:
    """Write a token whose header and claims are what they are, even no objects."""
    signed = ".".join(
        b64(part if isinstance(part, bytes) else json.dumps(part, separators=(",", ":")).encode())
        for part in (header, claims)
    )
    return f"{signed}.{b64(sign(signed.encode()))}"


def _changed(good: dict[str, Any], given: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (good | dict(given or {})).items() if value is not ...}


def hmac(secret: bytes, bits: int = 256) -> Signer:
    """Sign as HS256, HS384 or HS512."""

    def sign(text: bytes) -> bytes:
        made = HMAC(secret, {256: hashes.SHA256(), 384: hashes.SHA384(), 512: hashes.SHA512()}[bits])
        made.update(text)
        return made.finalize()

    return sign


def forgeries(good: Genuine, stranger: str) -> Iterator[tuple[str, str]]:
    """Give every forgery by what it tries; `stranger` is a good token of another portal."""
    yield "a token of another portal", stranger
    yield "its claims under the other portal's signature", ".".join((*good.parts[:2], stranger.split(".")[2]))
    yield from unsigned(good)
    yield from swapped_algorithms(good)
    yield from own_keys(good)
    yield from key_names(good)
    yield from claims(good)
    yield from headers(good)
    yield from shapes(good)
    yield from links(good)


def unsigned(good: Genuine) -> Iterator[tuple[str, str]]:
    """The algorithm that is none, CVE-2015-9235."""
    for name in ("none", "None", "NONE", "nOnE", "", " none", "none\0"):
        header = good.header | {"alg": name}
        yield f"alg {name!r} without a signature", written(header, good.claims, lambda _: b"")
        yield f"alg {name!r} with the old signature", written(header, good.claims, lambda _: unb64(good.parts[2]))
    yield "no alg", written(_changed(good.header, {"alg": ...}), good.claims, good.key.sign)
    yield "the signature cut off", ".".join((*good.parts[:2], ""))


def swapped_algorithms(good: Genuine) -> Iterator[tuple[str, str]]:
    """The public key as the secret of an HMAC, CVE-2016-10555; and other signatures, with keys of the attacker's."""
    secrets = good.public | {"nothing": b"", "kid": good.header["kid"].encode(), "word": b"secret", "zeros": bytes(32)}
    for bits in (256, 384, 512):
        header = good.header | {"alg": f"HS{bits}"}
        for name, secret in secrets.items():
            yield f"HS{bits} with {name}", written(header, good.claims, hmac(secret, bits))
    short = rsa.generate_private_key(65537, 1024)
    usual = rsa.generate_private_key(65537, 2048)
    for name, key in (("a short key", short), ("a usual key", usual)):
        rs256 = lambda text, key=key: key.sign(text, padding.PKCS1v15(), hashes.SHA256())  # noqa: E731
        yield f"RS256 with {name}", written(good.header | {"alg": "RS256"}, good.claims, rs256)
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    ps256 = lambda text: usual.sign(text, pss, hashes.SHA256())  # noqa: E731
    yield "PS256", written(good.header | {"alg": "PS256"}, good.claims, ps256)
    curve = ec.generate_private_key(ec.SECP256R1())
    es256 = lambda text: curve.sign(text, ec.ECDSA(hashes.SHA256()))  # noqa: E731
    yield "ES256", written(good.header | {"alg": "ES256"}, good.claims, es256)
    zeros = b"\0" * 64
    yield "ES256 of zeros, CVE-2022-21449", written(good.header | {"alg": "ES256"}, good.claims, lambda _: zeros)
    yield "EdDSA of zeros", written(good.header, good.claims, lambda _: zeros)
    identity = b"\1" + b"\0" * 63
    yield "EdDSA of the neutral point", written(good.header, good.claims, lambda _: identity)
    first, second = unb64(good.parts[2])[:32], int.from_bytes(unb64(good.parts[2])[32:], "little")
    raised = first + (second + ORDER).to_bytes(32, "little")
    yield "EdDSA, its second half raised by the order", ".".join((*good.parts[:2], b64(raised)))
    for name in ("Ed25519", "eddsa", "EDDSA", "EdDSA ", "ES256K", "HS256", "A256KW", "dir"):
        yield f"our key called {name!r}", good.signed(header={"alg": name})


def own_keys(good: Genuine) -> Iterator[tuple[str, str]]:
    """Keys that the attacker brings, in the header or by an address."""
    ours = Ed25519PrivateKey.generate()
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": b64(ours.public_key().public_bytes_raw()), "kid": good.header["kid"]}
    yield "another key under our kid", written(good.header, good.claims, ours.sign)
    goldilocks = ed448.Ed448PrivateKey.generate()
    yield "Ed448 under our kid", written(good.header, good.claims, goldilocks.sign)
    for name, value in {
        "jwk": jwk,
        "jku": "http://127.0.0.1:1/jwks.json",
        "x5u": "http://127.0.0.1:1/key.pem",
        "x5c": [b64(ours.public_key().public_bytes_raw())],
        "x5t": "AAAA",
    }.items():
        for kid in (good.header["kid"], ..., "ours"):
            header = _changed(good.header, {name: value, "kid": kid})
            yield f"{name} in the header, kid {kid!r}"[:60], written(header, good.claims, ours.sign)


def key_names(good: Genuine) -> Iterator[tuple[str, str]]:
    """Names of keys that lead elsewhere: paths, SQL, commands, wrong types."""
    injected: tuple[Any, ...] = (
        ..., None, "", " ", "unknown", "0" * 36, 0, 1.5, True, [good.header["kid"]], {"kid": good.header["kid"]}, [],
        {}, "../../../../../../dev/null", "/dev/null", "/proc/sys/kernel/randomize_va_space", "file:///dev/null",
        "..\\..\\nul", "' or '1'='1", "x' union select 'AA==' --", "'; drop table signing_key; --", "$(id)", "`id`",
        "| id", "%00", "\0", "\r\nX: y", good.header["kid"] + "\0", good.header["kid"].upper() + "'", "é" * 20,
        "k" * 2000, "__class__", "constructor",
    )  # fmt: skip
    for kid in injected:
        header = _changed(good.header, {"kid": kid})
        yield f"kid {kid!r}"[:60] + " of our key", written(header, good.claims, good.key.sign)
        for secret in (b"", b"\0", b"AA==", b"2"):
            name = f"kid {kid!r}"[:60] + f" with the secret {secret!r}"
            yield name, written(header | {"alg": "HS256"}, good.claims, hmac(secret))


def claims(good: Genuine) -> Iterator[tuple[str, str]]:
    """Claims that are missing, wrong, or of a wrong type, under the portal's own signature."""
    now = int(datetime.now(UTC).timestamp())  # a fraction would be refused for itself
    for name in REQUIRED:
        yield f"without {name}", good.signed(claims={name: ...})
        harmless = HARMLESS.get(name, ())
        for value in WRONG:
            if not any(value is each for each in harmless):
                yield f"{name} {value!r}", good.signed(claims={name: value})
    for name, value in {
        "aud": good.claims["aud"].upper(),
        "iss": good.claims["iss"] + "/",
        "typ": "refresh",
        "sid": "00000000-0000-0000-0000-000000000000",
        "exp": now - 1,
        "iat": now + 3600,
        "nbf": now + 3600,
    }.items():
        yield f"{name} {value!r}", good.signed(claims={name: value})
    for typ in ("Access", "access ", "link", "id", "verify-email", ["access"], {"access": 1}):
        yield f"typ {typ!r}", good.signed(claims={"typ": typ})
    for exp in (str(good.claims["exp"]), str(good.claims["exp"] + 10**6), [good.claims["exp"]], 10**12, -(10**12)):
        yield f"exp {exp!r}", good.signed(claims={"exp": exp})
    yield "exp beyond numbers", written(good.header, b'{"exp":1e999}', good.key.sign)
    for payload in (b"", b"null", b"[]", b'"access"', b"{", b"\xff\xfe", b"[" * 900 + b"]" * 900):
        yield f"claims {payload[:20]!r}", written(good.header, payload, good.key.sign)


def headers(good: Genuine) -> Iterator[tuple[str, str]]:
    """Headers that ask for what we do not understand (RFC 7515, 4.1.11), and that are none."""
    yield "crit", good.signed(header={"crit": ["exp"], "exp": good.claims["exp"]})
    yield "crit of nothing known", good.signed(header={"crit": ["x-none"], "x-none": 1})
    yield "b64 false", good.signed(header={"b64": False, "crit": ["b64"]})
    yield "compressed", good.signed(header={"zip": "DEF"})
    yield "encrypted", good.signed(header={"enc": "A256GCM", "alg": "dir"})
    for header in (b"", b"null", b"[]", b'"EdDSA"', b"{", b'{"alg":', b"\xff", b"{}", b"[" * 900 + b"]" * 900):
        yield f"header {header[:20]!r}", written(header, good.claims, good.key.sign)


def shapes(good: Genuine) -> Iterator[tuple[str, str]]:
    """Texts that are nearly a token."""
    header, payload, signature = good.parts
    last = ALPHABET.index(signature[-1])
    yield "unused bits of the signature", ".".join((header, payload, signature[:-1] + ALPHABET[last ^ 1]))
    yield from {
        "one dot": ".",
        "two dots": "..",
        "three dots": "...",
        "many dots": "." * 3000,
        "no dot": "x",
        "a dot behind": good.token + ".",
        "a dot ahead": "." + good.token,
        "a dot doubled": f"{header}..{payload}.{signature}",
        "dots doubled": f"{header}..{payload}..{signature}",
        "the last dot doubled": f"{header}.{payload}..{signature}",
        "five parts as of an encrypted one": f"{good.token}.x.y",
        "twice": f"{good.token}.{good.token}",
        "twice with a comma": f"{good.token},{good.token}",
        "padded": good.token + "==",
        "padded inside": f"{header}==.{payload}==.{signature}==",
        "a character that base64 passes by": f"{header}.{payload}.{signature[:40]}!{signature[40:]}",
        "another such at its end": f"{good.token}~",
        "the usual alphabet": good.token.replace("-", "+").replace("_", "/") + "/",
        "letters from elsewhere": good.token.replace("e", "е", 1),  # noqa: RUF001 - the Cyrillic one is meant
        "upper case": good.token.upper(),
        "turned round": good.token[::-1],
        "its JSON form": json.dumps({"protected": header, "payload": payload, "signature": signature}),
        "quoted": f'"{good.token}"',
        "cut": good.token[:-3],
        "5,000 characters": "x" * 5_000,
        "7,000 characters in three parts": ".".join(("x" * 2_300,) * 3),
    }.items()
    yield "our own, too long", good.signed(claims={"more": "x" * 5_000})


def links(good: Genuine) -> Iterator[tuple[str, str]]:
    """Links of our mails, signed with the same master key, dressed as access tokens."""
    later = datetime.now(UTC) + timedelta(hours=1)
    for purpose in {link.purpose for link in LINKS.values()} | {"access", good.claims["aud"], ""}:
        yield f"a link for {purpose!r}", KEYS.link_token(purpose, good.claims, later)
        secret = KEYS.derived(f"link/{purpose}")
        yield f"its secret for {purpose!r}", written(good.header | {"alg": "HS256"}, good.claims, hmac(secret))


def variants(token: str, count: int, random: Random) -> list[str]:
    """Give so many different texts that are nearly a token."""
    made = set[str]()
    while len(made) < count:
        made.add(spoiled(token, random))
        made.discard(token)
    return sorted(made)


def spoiled(token: str, random: Random) -> str:
    """Change a token by a little: bits of its text or of what it stands for, characters, lengths."""
    place = random.randrange(len(token))
    match random.randrange(6):
        case 0:  # a bit of a decoded part
            parts = token.split(".")
            which = random.randrange(3)
            raw = bytearray(unb64(parts[which]))
            raw[random.randrange(len(raw))] ^= 1 << random.randrange(8)
            return ".".join((*parts[:which], b64(bytes(raw)), *parts[which + 1 :]))
        case 1:  # a bit of the text, where it remains one that a header can hold
            flipped = chr(ord(token[place]) ^ (1 << random.randrange(7)))
            return token[:place] + (flipped if " " < flipped < "\x7f" else "-") + token[place + 1 :]
        case 2:
            return token[:place] + random.choice(ALPHABET + ".=") + token[place + 1 :]
        case 3:
            return token[:place] + random.choice(ALPHABET + ".=!~%") + token[place:]
        case 4:
            return token[:place] + token[place + random.randrange(1, 4) :]
        case _:
            other = random.randrange(len(token))
            low, high = sorted((place, other))
            return token[:low] + token[low : high + 1][::-1] + token[high + 1 :]
