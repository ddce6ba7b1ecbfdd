"""The documents of the demo city: what its families filed with their procedures, as one-page PDFs kept like any other.

A newcomer who signs in as a family or as an agent finds some: those of the family that is shown, and of the newest
procedures.
"""

from datetime import datetime, timedelta
from typing import Any

import asyncpg

from db import uploads as stored
from db.ids import uuid7
from db.uploads import Document
from resolvers.media import clean_name
from resolvers.vault import Vault

MOST = 100
"""Documents of the city, so that it is loaded soon."""

PIECES = """
    with wanted as (
        select p.family_id, p.id as procedure_id, r.code as field, r.label_fr, r.label_en, p.submitted_at as at
        from procedure p join required_document r on r.kind_id = p.kind_id
        where r.required and p.submitted_at is not null
        union all
        select q.family_id, q.procedure_id, q.field, q.label, q.label, i.answered_at
        from information_request i join requested_document q on q.family_id = i.family_id and q.request_id = i.id
        where i.answered_at is not null
        union all
        select m.family_id, m.procedure_id, 'message.' || m.number, 'Attestation', 'Statement', m.posted_at
        from procedure_message m where m.author = 'FAMILY'
    )
    select w.family_id, w.procedure_id, w.field, w.at, a.account_id,
        case f.language when 'en' then w.label_en else w.label_fr end as label
    from wanted w join family f on f.id = w.family_id
        join lateral (
            select a.id as account_id from account a where a.family_id = f.id order by a.id limit 1
        ) a on true
    order by f.number = $1 desc, w.at desc, w.field limit $2
"""


async def file_papers(connection: asyncpg.Connection, vault: Vault, shown: str) -> int:
    """File documents with procedures of the city, first those of the family with the number `shown`; give how many.

    As the owner of the tables, in a transaction that sees all of them.
    """
    pieces = await connection.fetch(PIECES, shown, MOST)
    for piece in pieces:
        await _file(connection, vault, piece)
    return len(pieces)


async def _file(connection: asyncpg.Connection, vault: Vault, piece: Any) -> None:
    at: datetime = piece["at"]
    document_id, made = uuid7(at), sheet(piece["label"])
    async with vault.incoming(piece["family_id"], document_id) as file:
        await vault.add(file, made)
        await vault.end(file)
        name, expires = clean_name(piece["label"], "application/pdf"), (at + timedelta(days=365)).date()
        document = Document(
            piece["family_id"], document_id, name, "application/pdf", file.size, file.sha256, expires, at
        )
        await vault.keep(file, (document.family_id, document.id))
    await stored.insert(connection, document, piece["account_id"], None)
    about = (document.family_id, piece["procedure_id"], piece["field"])
    await stored.attach(connection, *about, document.id, uuid7(at), at)


def sheet(title: str) -> bytes:
    """Give a PDF of one page with a title; characters beyond Latin-1 become question marks."""
    line = title.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)").replace("’", "'")
    text = f"BT /F 18 Tf 72 740 Td ({line}) Tj 0 -28 Td /F 11 Tf (Document de d\xe9monstration, sans valeur.) Tj ET"
    stream = text.encode("latin-1", "replace")
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842]"
        b" /Contents 4 0 R /Resources << /Font << /F 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    )
    made, places = bytearray(b"%PDF-1.7\n"), []
    for number, each in enumerate(objects, 1):
        places.append(len(made))
        made += b"%d 0 obj\n%b\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(made))
    return bytes(made + b"xref\n0 %d\n0000000000 65535 f \n%b%b" % (len(objects) + 1, table, end))
