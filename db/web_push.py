"""Keys of web push: the portal's own (VAPID, RFC 8292), and what a browser's must look like (RFC 8291)."""

import base64
import binascii
from collections.abc import Collection
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from db.configuration import SettingsError, is_secure
from db.keys import Keys
from db.settings_channels import Push

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of the group of P-256 (SEC 2, section 2.4.2)."""


class BadKey(ValueError):
    """Not a key that a browser makes."""


def vapid_key(settings: Push, keys: Keys) -> ec.EllipticCurvePrivateKey:
    """Give the key by which push services know the portal: that of the settings, else one derived of the master key,
    so that all nodes have the same. Raises SettingsError.
    """
    if settings.vapid_key is None:
        return ec.derive_private_key(int.from_bytes(keys.derived("web-push")) % (ORDER - 1) + 1, ec.SECP256R1())
    try:
        return ec.derive_private_key(int.from_bytes(unpadded(settings.vapid_key)), ec.SECP256R1())
    except ValueError as error:
        raise SettingsError("push.vapid_key: Expected base64url of 32 bytes.") from error


def public_text(key: ec.EllipticCurvePrivateKey) -> str:
    """Give the `applicationServerKey` of a key: base64url of its uncompressed point."""
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return base64.urlsafe_b64encode(point).rstrip(b"=").decode()


def public_point(text: str) -> ec.EllipticCurvePublicKey:
    """Read a browser's `p256dh`. Raises BadKey unless it is an uncompressed point of the curve."""
    point = unpadded(text)
    if len(point) != 65:
        raise BadKey("not 65 bytes")
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError as error:
        raise BadKey("not a point of the curve") from error


def unpadded(text: str) -> bytes:
    """Read base64url without padding. Raises BadKey."""
    try:
        return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadKey("not base64url") from error


def is_allowed(endpoint: str, hosts: Collection[str]) -> bool:
    """Whether an address is one of a push service that is believed: nothing else is ever posted to."""
    if not is_secure(endpoint) or not endpoint.isascii() or any(character.isspace() for character in endpoint):
        return False
    parts = urlsplit(endpoint)
    if parts.username is not None or parts.password is not None or parts.fragment:
        return False
    host = (parts.hostname or "").rstrip(".")
    try:
        standard = parts.scheme == "http" or parts.port in (None, 443)
    except ValueError:
        return False
    return standard and any(host == allowed or host.endswith(f".{allowed}") for allowed in hosts)
