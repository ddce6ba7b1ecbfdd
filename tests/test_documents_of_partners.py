"""What a partner may not register as its documents."""

from hashlib import sha256
from typing import Any

from gateway.partner_documents import MOST_DOCUMENTS
from tests.house import House
from tests.test_partners import count, partner

FILL = """insert into registered_document (hash, client, document, operations, created_at)
    select encode(sha256(convert_to(text, 'UTF8')), 'hex'), $1, text, '{A}', now()
    from generate_series(1, $2) n, lateral (select '#' || n || ' query A { __typename }' as text) made"""


async def put(house: House, token: str, text: str) -> tuple[int, Any]:
    """Register one document; give the status and the answer."""
    url, headers = f"{house.url}/partner/documents", {"Authorization": f"Bearer {token}"}
    async with house.http.post(url, json={sha256(text.encode()).hexdigest(): text}, headers=headers) as response:
        return response.status, await response.json()


async def test_a_partner_has_so_many_documents_and_no_more(house: House) -> None:
    access = await partner(house)
    assert (await put(house, access, "query A { __typename }"))[0] == 200
    client = await house.connection.fetchval("select client from registered_document")
    await house.connection.execute(FILL, client, MOST_DOCUMENTS - 1)
    before = await count(house, "registered_document"), await count(house, "audit_entry")
    status, told = await put(house, access, "query B { __typename }")
    assert (status, told["errors"][0]["extensions"]["code"]) == (400, "TOO_COSTLY")
    assert (await count(house, "registered_document"), await count(house, "audit_entry")) == before
    assert before[0] == MOST_DOCUMENTS
