"""Kinds of procedure: the catalogue, and what editors write in it."""

import re
from datetime import date
from enum import Enum
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry

from db.kinds import Content, Document
from resolvers import kinds
from resolvers.reading.mapping import Order
from schema.access import EDITOR, EVERYBODY
from schema.declare import Arg, Payload, column, mutation, one, page, stored, written
from schema.relay import OLDEST_FIRST, PUBLIC, Connection, Info, Node
from schema.scalars import JSON
from schema.services import Service, in_language
from schema.tags import Tag

if TYPE_CHECKING:
    from schema.pages import Page


@strawberry.enum(description="What the silence of the city means when the time has passed.")
class SilenceMeans(Enum):
    """CRPA L231-1 and its exceptions."""

    ACCEPTED = strawberry.enum_value("ACCEPTED", description="Silence accepts (CRPA L231-1).")
    REJECTED = strawberry.enum_value("REJECTED", description="Silence rejects (CRPA L231-4).")


@stored("required_document", PUBLIC, tag=Tag.REQUIRED_DOCUMENT, key=("id",))
@strawberry.type(description="A document that a kind of procedure asks for.")
class RequiredDocument(Node):
    """A document to bring."""

    code: str = column("Stable code within the kind, e.g. justificatif-domicile.")
    label: str = column("What it is, in the language of the viewer.", in_language("label"))
    help: str | None = column("What is accepted, in the language of the viewer.", in_language("help"))
    required: bool = column("False: only where it applies.")


BY_POSITION = Order((("{o}.position", "integer"), ("{o}.id", "uuid")))
TODAY = "(:now at time zone 'Europe/Paris')::date"
TAKEN = (
    "(select i.taken from kind_intake i where i.code = {t}.code and i.opens_on = coalesce({t}.opens_on, '-infinity'))"
)
LEFT = f"case when {{t}}.capacity is not null then greatest({{t}}.capacity - coalesce({TAKEN}, 0), 0) end"


@strawberry.enum(description="When a page is worth reading, seen from a procedure.")
class Phase(Enum):
    """R14."""

    BEFORE = strawberry.enum_value("BEFORE", description="Before one starts the procedure.")
    AFTER = strawberry.enum_value("AFTER", description="Once it is submitted.")


BY_PAGE = Order((("{o}.page_id", "uuid"),))
PAGE_LINK = "{o}.page_id in (select l.page_id from page_kind l where l.kind_code = {t}.code%s)"


@stored("procedure_kind", PUBLIC, tag=Tag.PROCEDURE_KIND, key=("id",))
@strawberry.type(description="An entry of the catalogue of procedures, in one version.")
class ProcedureKind(Node):
    """A kind of procedure (type de démarche)."""

    code: str = column("Stable code, e.g. cantine.")
    version: int = column("Version; a running procedure keeps its own.")
    title: str = column("Title, in the language of the viewer.", in_language("title"))
    summary: str = column("What it is for, in the language of the viewer.", in_language("summary"))
    form: JSON = column("The form as JSON Schema 2020-12, with labels in both languages; see docs/forms.md.")
    attestation: str = column("What one attests on submission (R38).", in_language("attestation"))
    decision_months: int = column("Months after which silence decides.")
    silence_means: SilenceMeans = column("What silence means.")
    opens_on: date | None = column("First day on which one may start it; none: always could.")
    closes_on: date | None = column("Last day; none: no end.")
    capacity: int | None = column("How many may be open or accepted in one opening period; none: no limit.")
    places_left: int | None = column("How many are left; none: no limit.", LEFT)
    is_open: bool = column(
        "True when one may start it today: it is on offer, within its opening period, and has a place left.",
        f"({{t}}.superseded_at is null and coalesce({{t}}.opens_on <= {TODAY}, true) "
        f"and coalesce({{t}}.closes_on >= {TODAY}, true) and coalesce(({LEFT}) > 0, true))",
    )
    service: Service = one("Service in charge.", "{o}.id = {t}.service_id")
    pages: Connection[Annotated["Page", strawberry.lazy("schema.pages")]] = page(
        "Information pages about it (R14).",
        PAGE_LINK % "",
        BY_PAGE,
        phase=Arg(
            Phase | None,
            "Only what to read before, or only after the procedure.",
            filters=PAGE_LINK % " and l.phase = :arg_phase",
        ),
    )
    required_documents: Connection[RequiredDocument] = page(
        "Documents that it asks for.", "{o}.kind_id = {t}.id", BY_POSITION
    )


@strawberry.type
class KindQueries:
    """Root fields about kinds."""

    procedure_kinds: Connection[ProcedureKind] = page(
        "The catalogue: kinds on offer, in their current version.",
        "{o}.superseded_at is null",
        OLDEST_FIRST,
        may=EVERYBODY,
    )
    procedure_kind: ProcedureKind | None = one(
        "A kind on offer, by its code.",
        "{o}.code = :arg_code and {o}.superseded_at is null",
        may=EVERYBODY,
        code=Arg(str, "Code of the kind."),
    )


@strawberry.input(description="A document that a kind asks for.")
class RequiredDocumentInput:
    """Part of ProcedureKindInput."""

    code: str = strawberry.field(description="Stable code within the kind.")
    label_fr: str = strawberry.field(description="What it is, in French; 200 characters at the most.")
    label_en: str = strawberry.field(description="The same in English.")
    help_fr: str | None = strawberry.field(default=None, description="What is accepted; 1,000 characters at the most.")
    help_en: str | None = strawberry.field(default=None, description="The same in English.")
    required: bool = strawberry.field(default=True, description="False: only where it applies.")


@strawberry.input(description="A kind of procedure, as an editor gives it.")
class ProcedureKindInput:
    """Input of saveProcedureKind."""

    code: str = strawberry.field(description="Stable code: small letters, digits and dashes.")
    version: int | None = strawberry.field(
        default=None,
        description="The version that was changed, 0 for a new kind: refused with KIND_CHANGED when it is not the "
        "current one.",
    )
    service: str = strawberry.field(description="Code of the service in charge.")
    title_fr: str = strawberry.field(description="Title in French, 200 characters at the most.")
    title_en: str = strawberry.field(description="Title in English.")
    summary_fr: str = strawberry.field(description="What it is for, in French; 1,000 characters at the most.")
    summary_en: str = strawberry.field(description="What it is for, in English.")
    form: JSON = strawberry.field(description="The form, in the dialect of docs/forms.md.")
    required_documents: list[RequiredDocumentInput] = strawberry.field(
        default_factory=list, description="Documents that it asks for, 20 at the most."
    )
    attestation_fr: str = strawberry.field(description="What one attests, in French; 2,000 characters at the most.")
    attestation_en: str = strawberry.field(description="What one attests, in English.")
    decision_months: int = strawberry.field(default=2, description="Months after which silence decides, 1 to 24.")
    silence_means: SilenceMeans = strawberry.field(description="What silence means.")
    opens_on: date | None = strawberry.field(default=None, description="First day on which one may start it.")
    closes_on: date | None = strawberry.field(default=None, description="Last day.")
    capacity: int | None = strawberry.field(
        default=None, description="How many may be open or accepted in this opening period."
    )


@strawberry.type(description="What a command on a kind gives.")
class ProcedureKindPayload(Payload):
    """Payload of commands on kinds."""

    procedure_kind: ProcedureKind | None = written(
        "The version as it stands now, unless refused.", "{o}.id = :source_id"
    )


CODE = re.compile(r"[a-z][a-z0-9-]{1,59}")
MOST_DOCUMENTS = 20
LONGEST = {"title": 200, "summary": 1_000, "attestation": 2_000}


def _checked(info: Info, good: bool, *path: str) -> None:
    if not good:
        raise info.context.refusal("BAD_USER_INPUT", ["kind", *path])


def _check(info: Info, given: ProcedureKindInput) -> None:
    """Raise Refusal BAD_USER_INPUT with the path of the first fault outside the form."""
    _checked(info, CODE.fullmatch(given.code) is not None, "code")
    for name, longest in LONGEST.items():
        for language in ("fr", "en"):
            text: str = getattr(given, f"{name}_{language}")
            _checked(info, 1 <= len(text.strip()) <= longest, f"{name}{language.title()}")
    _checked(info, 1 <= given.decision_months <= 24, "decisionMonths")
    _checked(info, given.capacity is None or 1 <= given.capacity <= 1_000_000, "capacity")
    opens, closes = given.opens_on or date.min, given.closes_on or date.max
    _checked(info, opens <= closes, "closesOn")
    _checked(info, len(given.required_documents) <= MOST_DOCUMENTS, "requiredDocuments")
    for place, document in enumerate(given.required_documents):
        _check_document(info, given, place, document)


def _check_document(info: Info, given: ProcedureKindInput, place: int, document: RequiredDocumentInput) -> None:
    at = "requiredDocuments", str(place)
    others = [each.code for each in given.required_documents[:place]]
    _checked(info, CODE.fullmatch(document.code) is not None and document.code not in others, *at, "code")
    for name, label in (("labelFr", document.label_fr), ("labelEn", document.label_en)):
        _checked(info, 1 <= len(label.strip()) <= 200, *at, name)
    for name, words in (("helpFr", document.help_fr), ("helpEn", document.help_en)):
        _checked(info, words is None or 1 <= len(words.strip()) <= 1_000, *at, name)
    _checked(info, (document.help_fr is None) == (document.help_en is None), *at, "helpEn")


NOBODY = UUID(int=0)
"""In the place of the service until it is looked up by its code."""


@strawberry.type
class KindMutations:
    """Commands about kinds."""

    @mutation(
        may=EDITOR,
        description="Write the next version of a kind and offer it in the place of the one before; what runs keeps its "
        "own version. Every fault of the form is told by a JSON pointer.",
    )
    async def save_procedure_kind(
        info: Info, kind: Annotated[ProcedureKindInput, strawberry.argument(description="The kind.")]
    ) -> ProcedureKindPayload:
        """Versions."""
        _check(info, kind)
        content = Content(
            kind.code,
            NOBODY,
            kind.title_fr.strip(),
            kind.title_en.strip(),
            kind.summary_fr.strip(),
            kind.summary_en.strip(),
            "{}",
            kind.attestation_fr.strip(),
            kind.attestation_en.strip(),
            kind.decision_months,
            kind.silence_means.name,
            kind.opens_on,
            kind.closes_on,
            kind.capacity,
        )
        documents = [
            Document(each.code, each.label_fr.strip(), each.label_en.strip(), each.help_fr, each.help_en, each.required)
            for each in kind.required_documents
        ]
        saved = await kinds.save(info.context, content, kind.service, kind.form, documents, kind.version)
        return ProcedureKindPayload(id=saved)

    @mutation(may=EDITOR, description="Offer a kind no longer; what runs goes on, drafts can no more be submitted.")
    async def retire_procedure_kind(
        info: Info, code: Annotated[str, strawberry.argument(description="Code of the kind.")]
    ) -> ProcedureKindPayload:
        """End of a kind."""
        return ProcedureKindPayload(id=await kinds.retire(info.context, code))
