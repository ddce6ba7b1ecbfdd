"""Of cards and accounts nothing is kept: planted in all that a bank says, they are in no table, log, mail or dump."""

from pathlib import Path

import asyncpg

from gateway.demo.bank import REFUSED, TAKEN, DemoBanks
from gateway.demo.bank_systempay import CARD, signed
from tests.bank import IBAN, SIGN
from tests.conftest import Database
from tests.house import PASSWORD, MovableClock
from tests.planted import cards, cards_in, dump, found, kept, writings
from tests.program import Portal, apart
from tests.till import Till

NUMBER, OTHER, HOLDER, EXPIRY = "4970100000000055", "5555 5555 5555 4444", "CANARI-PORTEUR", "2031-CANARI"
ACCOUNT, FOREIGN = "FR7630006000011234567890189", "DE89 3704 0044 0532 0130 00"
MARKS = (NUMBER, OTHER, HOLDER, EXPIRY, ACCOUNT, FOREIGN, CARD["vads_card_number"], CARD["vads_cust_name"], IBAN)
PLANTED = {
    "vads_card_number": NUMBER,
    "vads_auth_number": NUMBER,
    "vads_card_brand": OTHER,
    "vads_bank_product": NUMBER,
    "vads_expiry_year": EXPIRY,
    "vads_cust_name": HOLDER,
    "vads_iban": ACCOUNT,
    "vads_bank_label": FOREIGN,
    "vads_ext_info_account": ACCOUNT,
}


async def say(till: Till, status: str, reference: str) -> None:
    """Say of a payment all that a bank, or somebody in its name, could say, with numbers everywhere."""
    good = {**till.banks.systempay.message(reference, status), **PLANTED}
    for number in (NUMBER, ACCOUNT):
        forged = {**good, "vads_trans_status": number, "vads_trans_uuid": number, "vads_site_id": number}
        assert await till.tell(forged, key="notTheKeyOfTheBank") == 400
        assert await till.post(signed(forged) + f"&{number}=1") == 400
        assert await till.tell({**good, "vads_order_id": number}) == 404
        assert await till.tell({**good, "vads_amount": number}) == 400
        assert await till.post(f"idop={number}", "payfip") in (400, 404)
        assert await till.post(f"a={number}", number) == 404
    assert await till.tell(good) == 200


async def come_back(till: Till, reference: str) -> None:
    """Come back from the bank with numbers in the address and in the form."""
    url, brought = f"{till.house.url}/bank/systempay/return", {"payment": reference, **PLANTED}
    async with till.house.http.get(url, params=brought) as page, till.house.http.post(url, data=brought) as posted:
        assert not found(MARKS, await page.text() + await posted.text())


async def test_nothing_of_a_card_or_an_account_is_kept_in_any_table_log_mail_or_dump(
    city: Database, tmp_path: Path
) -> None:
    banks = DemoBanks(MovableClock())
    await banks.start()
    banks.manners.pauses = (0.2,) * 50
    settings = {f"{section}__{name}": value for section, of in banks.settings().items() for name, value in of.items()}
    try:
        async with apart(city.dsn, tmp_path, **settings) as portal:
            till = Till(portal.house, banks, MovableClock())
            family, token = await till.family()
            await till.house.do(SIGN, token, iban=IBAN, password=PASSWORD)
            for status in (TAKEN, REFUSED):
                started = await till.start(token, await till.invoice(family, 4000))
                reference = till.enter(started)
                await say(till, status, reference)
                await come_back(till, started["payment"]["reference"])
                await till.pay(await till.start(token, await till.invoice(family, 4000), bank="payfip"), status)
            assert (await till.books()).payments == 2
            await till.house.mail_to(family.email, "a été refusé")
            await nothing_of(portal)
    finally:
        await banks.stop()


async def nothing_of(portal: Portal) -> None:
    """See that a portal holds, says and sends nothing of what was planted, and no number of a card at all."""
    house = portal.house
    assert await kept(house.connection, MARKS) == {}
    assert await cards(house.connection) == {}
    said = portal.gateway.said() + portal.dispatcher.said()
    assert said and not found(MARKS, said)
    mails = [mail.raw.decode() + mail.part("plain") + mail.part("html") for mail in house.catcher.messages]
    assert mails and not found(MARKS, "".join(mails))


async def test_what_is_kept_would_be_found_in_any_writing(city: Database) -> None:
    connection = await asyncpg.connect(city.dsn)
    try:
        await connection.execute("create table trap (a text, b bytea, c jsonb)")
        for number, writing in [(each, writing) for each in (NUMBER, ACCOUNT) for writing in writings(each)]:
            await connection.execute("truncate trap")
            await connection.execute("insert into trap (c) values (jsonb_build_object('x', 'avant' || $1))", writing)
            assert number in (await kept(connection, MARKS))["trap"], writing
        await connection.execute("truncate trap")
        await connection.execute("insert into trap (b) values (convert_to('ab' || $1, 'UTF8'))", ACCOUNT)
        assert await kept(connection, MARKS) == {"trap": {ACCOUNT}}
        await connection.execute("insert into trap (a) values ('carte 4111 1111 1111 1111 refusée')")
        assert await cards(connection) == {"trap.a": ["4111111111111111"]}
        assert "family" in await dump(connection)
    finally:
        await connection.close()


def test_other_numbers_are_not_taken_for_cards() -> None:
    for words in ("20261123063400", "0199a1b2-4111-7111-8111-111111111111", "FACTURE 2026-000123", "x4111111111111111"):
        assert cards_in(words) == []
