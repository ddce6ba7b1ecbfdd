"""Documents that a family uploads, and what they are filed with; the bytes go over `POST` and `GET /documents`."""

from datetime import date, datetime
from typing import Annotated
from urllib.parse import quote

import strawberry

from db.uploads import Key
from resolvers import uploads
from schema.access import FAMILY, FAMILY_OR_AGENT
from schema.actors import Actor
from schema.declare import Payload, column, mutation, one, page, stored, written
from schema.relay import OLDEST_FIRST, OWN, OWN_OR_SERVICE, Connection, Info, Node, key_of
from schema.tags import Tag

OWN_OR_FILED = {
    "FAMILY": "({t}.family_id = :family and ({t}.agent_id is null or {t}.sent_at is not null))",
    "AGENT": """(exists (select from procedure_document d, procedure p
        where d.service_id = any(:services) and d.family_id = {t}.family_id and d.document_id = {t}.id
            and p.family_id = d.family_id and p.id = d.procedure_id and p.submitted_at is not null)
        or {t}.agent_id is not null and exists (select from procedure p
        where p.family_id = {t}.family_id and p.id = {t}.procedure_id and p.service_id = any(:services)
            and p.submitted_at is not null))""",
}
"""Agents see what was filed with their services, once the family has submitted it, and what they hand in themselves,
which the family sees once it is sent.
"""
LINK_OWN_OR_FILED = {
    **OWN,
    "AGENT": """exists (select from procedure p
        where {t}.service_id = any(:services) and p.family_id = {t}.family_id and p.id = {t}.procedure_id
            and p.submitted_at is not null)""",
}
"""Agents see what was filed with their services, once the family has submitted it."""


@stored("document", OWN_OR_FILED, tag=Tag.DOCUMENT)
@strawberry.type(description="A file of a family. Fetch it at `/documents/{id}`, or by `documentLink`.")
class Document(Node):
    """A document."""

    name: str = column("Name with the extension of its type; empty once it is erased.")
    media_type: str = column("Type by its content, e.g. application/pdf.")
    size: int = column("Bytes.")
    sha256: str | None = column(
        "SHA-256 of its bytes, in hexadecimal; none once it is erased.", "encode({t}.sha256, 'hex')"
    )
    expires_on: date = column("The last day on which it may be filed.")
    created_at: datetime = column("When it was uploaded.")
    author: Actor = column("Which side uploaded it.", "case when {t}.agent_id is null then 'FAMILY' else 'AGENT' end")
    sent_at: datetime | None = column("When an agent sent it with a message; none where the family uploaded it.")
    scanned_at: datetime | None = column("When the virus scanner found nothing; none where there is no scanner.")
    erased_at: datetime | None = column("When it was erased.")


@stored("procedure_document", LINK_OWN_OR_FILED, tag=Tag.ATTACHED_DOCUMENT)
@strawberry.type(description="A document filed with a procedure; it stays with it from the submission on.")
class AttachedDocument(Node):
    """What is filed with a procedure."""

    field: str = column(
        "What it answers: a field of the form, a code of the kind's documents, the field of a document that was asked "
        "for, or message.<number> where it came with a message."
    )
    attached_at: datetime = column("When it was filed.")
    document: Document = one("The document.", "{o}.family_id = {t}.family_id and {o}.id = {t}.document_id")


@stored("requested_document", OWN_OR_SERVICE, tag=Tag.REQUESTED_DOCUMENT)
@strawberry.type(description="A document that an agent asked a family for.")
class RequestedDocument(Node):
    """One of an information request."""

    # Expressions, because a view guarantees no value; the request that it is made of has them all.
    field: str = column("What the family attaches it under, by attachDocument.", "({t}.field)")
    label: str = column("What it is, in the agent's words.", "({t}.label)")
    attached: bool = column(
        "True when the family has attached one.",
        "exists (select from procedure_document l where l.family_id = {t}.family_id "
        "and l.procedure_id = {t}.procedure_id and l.field = {t}.field)",
    )
    documents: Connection[AttachedDocument] = page(
        "What came in answer.",
        "{o}.family_id = {t}.family_id and {o}.procedure_id = {t}.procedure_id and {o}.field = {t}.field",
        OLDEST_FIRST,
    )


@strawberry.type(description="What filing a document gives.")
class AttachedDocumentPayload(Payload):
    """Payload of attachDocument."""

    attached: AttachedDocument | None = written("The document as it is filed, unless refused.")


@strawberry.type(description="What removing a document gives.")
class DocumentPayload(Payload):
    """Payload of removeDocument."""

    document: Document | None = written("The document as it stands now, unless refused.")


@strawberry.type(description="A link to a document.")
class DocumentLinkPayload(Payload):
    """Payload of documentLink."""

    url: str | None = strawberry.field(
        default=None, description="Gives the document to whoever has it, without signing in."
    )
    expires_at: datetime | None = strawberry.field(
        default=None, description="When it ends, five minutes later unless the city sets another time."
    )


DocumentId = Annotated[strawberry.ID, strawberry.argument(description="Id of the document.")]


def document_key(info: Info, text: str, argument: str = "document") -> Key:
    """Give the key in a global id of a document; raises Refusal NOT_FOUND."""
    family_id, found = key_of(info.context, text, "Document", argument)
    return family_id, found


def _procedure_key(info: Info, text: str) -> Key:
    family_id, found = key_of(info.context, text, "Procedure", "procedure")
    return family_id, found


@strawberry.type
class DocumentMutations:
    """Commands on documents."""

    @mutation(
        may=FAMILY,
        description="File a document with a procedure that is a draft or awaits the family. A document filed elsewhere "
        "is refused unless the family keeps its documents (R2). A repeated call changes nothing.",
    )
    async def attach_document(
        info: Info,
        procedure: Annotated[strawberry.ID, strawberry.argument(description="Id of the procedure.")],
        document: DocumentId,
        field: Annotated[
            str,
            strawberry.argument(
                description="What it answers: a field of the form, a code of the kind's documents, or, while the "
                "family is awaited, the field of a document that it is asked for; anything else is FIELD_NOT_VALID."
            ),
        ],
    ) -> AttachedDocumentPayload:
        """R2."""
        keys = _procedure_key(info, procedure), document_key(info, document)
        family_id, link_id = await uploads.attach(info.context, *keys, field)
        return AttachedDocumentPayload(family_id=family_id, id=link_id)

    @mutation(
        may=FAMILY,
        description="Take a document out of a draft, or, when none is named, out of the account and all drafts. "
        "What was submitted stays as it was filed.",
    )
    async def remove_document(
        info: Info,
        document: DocumentId,
        procedure: Annotated[
            strawberry.ID | None, strawberry.argument(description="The draft that it is taken out of.")
        ] = None,
    ) -> DocumentPayload:
        """R2."""
        draft = _procedure_key(info, procedure) if procedure is not None else None
        family_id, document_id = await uploads.remove(info.context, document_key(info, document), draft)
        return DocumentPayload(family_id=family_id, id=document_id)

    @mutation(
        may=FAMILY_OR_AGENT.always,
        description="Make a link to a document that works for some minutes, e.g. to open it in another program.",
    )
    async def document_link(info: Info, document: DocumentId) -> DocumentLinkPayload:
        """Changes nothing."""
        token, until = await uploads.link(info.context, document_key(info, document))
        url = f"{info.context.process.settings.server.url}/documents/{quote(document, safe='')}?token={token}"
        return DocumentLinkPayload(url=url, expires_at=until)
