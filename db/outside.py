"""Which network addresses lie outside: where a partner's address may lead, and where it must not (SSRF)."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

NAT64 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
LONGEST_URL = 2000


class UrlRefused(ValueError):
    """An address that nothing is sent to; the text says why, for the partner."""


def is_outside(text: str, allowed: Sequence[str] = ()) -> bool:
    """Tell whether an IP address is one of the public network, or of the networks allowed.

    An address that carries another one (IPv4 in IPv6, 6to4, Teredo, NAT64) is as good as what it carries.
    """
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return False
    inner = carried(address)
    if any(each in ip_network(network) for network in allowed for each in (address, *inner)):
        return True
    return all(_public(each) for each in inner or (address,))


def carried(address: IPv4Address | IPv6Address) -> tuple[IPv4Address, ...]:
    """Give the IPv4 addresses inside an IPv6 address."""
    if isinstance(address, IPv4Address):
        return ()
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if any(address in network for network in NAT64) or int(address) >> 32 == 0:
        found.append(IPv4Address(int(address) & 0xFFFFFFFF))
    return tuple(each for each in found if each is not None)


def _public(address: IPv4Address | IPv6Address) -> bool:
    return address.is_global and not address.is_multicast and not address.is_reserved


def checked_url(url: str, *, https: bool, allowed: Sequence[str] = ()) -> str:
    """Give the address of a webhook as it is kept; raises UrlRefused. Names are looked up when something is sent."""
    if len(url) > LONGEST_URL or any(ord(each) <= 32 or ord(each) > 126 for each in url) or "\\" in url:
        raise UrlRefused("not an address")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise UrlRefused("not an address") from error
    if parts.scheme != "https" and (https or parts.scheme != "http"):
        raise UrlRefused("not https")
    if not host or parts.username is not None or parts.password is not None or parts.fragment or port == 0:
        raise UrlRefused("not an address")
    try:
        ip_address(host)
    except ValueError:
        if not host.rstrip(".").rpartition(".")[2][:1].isalpha():
            raise UrlRefused("not a name") from None  # 2130706433, 0x7f.1, 127.1
        return url
    if not is_outside(host, allowed):
        raise UrlRefused("a private address")
    return url
