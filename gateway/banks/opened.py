"""The banks of the settings, opened with the process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from db.settings import Settings
from gateway.banks.other import OtherBank
from gateway.banks.payfip import Payfip
from gateway.banks.systempay import Systempay
from gateway.banks.threads import Threads
from resolvers.banks import Bank, Banks


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Banks]:
    """Give the banks that the settings name, until the block ends; the first is the one that families are offered."""
    cards = settings.cards
    threads = Threads(cards.timeout)
    timeout = aiohttp.ClientTimeout(total=cards.timeout)
    try:
        async with aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as http:
            banks: dict[str, Bank] = {}
            if settings.systempay.site_id is not None:
                banks["systempay"] = Systempay(
                    settings.systempay, _address(settings, "systempay"), cards.test, threads, http
                )
            if settings.payfip.numcli is not None:
                banks["payfip"] = Payfip(
                    settings.payfip, _address(settings, "payfip"), cards.test, threads, settings.city.contact_email
                )
            other = settings.other_bank
            if other.backend is not None:
                banks[other.name] = OtherBank(other, _address(settings, other.name), cards.test, threads)
            yield dict(sorted(banks.items(), key=lambda item: item[0] != cards.first))
    finally:
        threads.close()


def _address(settings: Settings, name: str) -> str:
    return f"{settings.server.url}/bank/{name}"
