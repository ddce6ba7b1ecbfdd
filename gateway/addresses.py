"""Which network address a request comes from; behind proxies, what the last trusted one says."""

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Self

from aiohttp import web

Network = IPv4Network | IPv6Network

HOUSEHOLD_BITS = 64
"""A household or a firm has at least such a network of IPv6 to itself (RFC 6177)."""


@dataclass(frozen=True, slots=True)
class Proxies:
    """Proxies whose `X-Forwarded-For` is believed; none unless the settings name them."""

    networks: tuple[Network, ...] = ()

    @classmethod
    def from_texts(cls, texts: tuple[str, ...]) -> Self:
        """Read addresses and networks; the settings were checked when they were read."""
        return cls(tuple(ip_network(text) for text in texts))

    def client_of(self, request: web.Request) -> str:
        """Give the address of the client, as far as it can be believed."""
        address = request.remote or ""
        if not self.networks:
            return address
        hops = ",".join(request.headers.getall("X-Forwarded-For", ())).split(",")
        while hops and self._trusts(address):
            further = hops.pop().strip()
            if not _is_address(further):
                break
            address = further
        return address

    def _trusts(self, address: str) -> bool:
        return _is_address(address) and any(ip_address(address) in network for network in self.networks)


@lru_cache(maxsize=20_000)
def household_of(address: str) -> str:
    """Give what counts as one client: an IPv4 address, or the /64 network of an IPv6 address."""
    if not _is_address(address):
        return address
    read = ip_address(address)
    if not isinstance(read, IPv6Address):
        return address
    if read.ipv4_mapped is not None:
        return str(read.ipv4_mapped)
    return str(IPv6Network((int(read) >> HOUSEHOLD_BITS << HOUSEHOLD_BITS, HOUSEHOLD_BITS)))


def within(address: str, networks: tuple[str, ...]) -> bool:
    """Tell whether an address lies in one of some networks (CIDR); an IPv4 address counts also as IPv6 writes it."""
    if not _is_address(address):
        return False
    read = ip_address(address)
    plain = getattr(read, "ipv4_mapped", None) or read
    return any(plain in ip_network(network) for network in networks)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
