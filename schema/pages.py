"""Information pages: what families read before and after a procedure, and whenever they like (R14)."""

import re
from datetime import datetime
from typing import Annotated

import strawberry

from resolvers import pages
from resolvers.reading.mapping import Order
from schema.access import EDITOR, READ_BY_ALL
from schema.declare import Arg, Payload, column, mutation, one, stored, written
from schema.declare import page as listed
from schema.kinds import BY_PAGE, Phase, ProcedureKind
from schema.places import Place
from schema.relay import NEWEST_FIRST, OLDEST_FIRST, Connection, Info, Node
from schema.services import in_language
from schema.suggestions import InvoiceMoment, SuggestionReason, reasons
from schema.tags import Tag
from schema.tariffs import Tariff

BY_POSITION = Order((("{o}.position", "integer"), ("{o}.id", "uuid")))


@stored("page_category", {"*": "true"}, tag=Tag.PAGE_CATEGORY, key=("id",))
@strawberry.type(description="A branch of the tree of pages.")
class PageCategory(Node):
    """A category; the roots have no parent."""

    code: str = column("Stable code, e.g. enfance.")
    title: str = column("Title, in the language of the viewer.", in_language("title"))
    parent: "PageCategory | None" = one("The branch above.", "{o}.id = {t}.parent_id")
    children: "Connection[PageCategory]" = listed("The branches below.", "{o}.parent_id = {t}.id", BY_POSITION)


QUERY = "{once page_query(:arg_search)}"
FOUND = f"{{o}}.search @@ {QUERY}"
RANK = f"(ts_rank({{o}}.head, {QUERY}) * 1000000)::bigint"
BEST_FIRST = Order(((RANK, "bigint"), ("{o}.page_id", "uuid")), descending=True, name="/search")

VISIBLE = "{t}.visible_from <= now() and ({t}.visible_until is null or {t}.visible_until > now())"
PLAIN = "case :language when 'en' then {t}.plain_en else {t}.plain_fr end"
ESCAPED = f"replace(replace(replace({PLAIN}, '&', '&amp;'), '<', '&lt;'), '>', '&gt;')"
CONFIGURATION = "case :language when 'en' then 'english'::regconfig else 'french'::regconfig end"


KIND_LINK = "{o}.code in (select l.kind_code from page_kind l where l.page_id = {t}.page_id%s)"


@stored("page_version", {"*": VISIBLE}, tag=Tag.PAGE, key=("page_id",))
@strawberry.type(description="An information page, as it is published now.")
class Page(Node):
    """The version of a page whose time it is."""

    id: strawberry.ID = column("Opaque id, the same for all versions of the page.", "{t}.id")
    slug: str = column("Its place in addresses, e.g. cantine-tarifs.")
    title: str = column("Title, in the language of the viewer.", in_language("title"))
    summary: str = column("One sentence, in the language of the viewer.", in_language("summary"))
    body: str = column("Text in Markdown, in the language of the viewer.", in_language("body"))
    html: str = column("The same as safe HTML; headings begin at h2.", in_language("html"))
    version: int = column("Number of the version.", "{t}.number")
    published_at: datetime = column("Since when this version is seen.", "coalesce({t}.visible_from, {t}.created_at)")
    category: PageCategory = one("Where it stands in the tree.", "{o}.id = {t}.category_id")
    places: Connection[Place] = listed(
        "Places that it speaks of.",
        "{o}.id in (select l.place_id from page_place l where l.page_id = {t}.page_id)",
        OLDEST_FIRST,
    )
    tariffs: Connection[Tariff] = listed(
        "What it says the prices of.",
        "{o}.id in (select l.tariff_id from page_tariff l where l.page_id = {t}.page_id)",
        BY_POSITION,
    )
    kinds: Connection[ProcedureKind] = listed(
        "Kinds of procedure that it prepares or follows, in their current version.",
        f"{{o}}.superseded_at is null and {KIND_LINK % ''}",
        OLDEST_FIRST,
        phase=Arg(
            Phase | None,
            "Only before, or only after a procedure.",
            filters=KIND_LINK % " and l.phase = :arg_phase",
        ),
    )
    suggested_because: list[SuggestionReason] = reasons(
        "Why the signed-in family is shown it among `viewer.suggestedPages`; empty for anybody else."
    )
    highlight: str = column(
        "Where the words of a search stand, as safe HTML with <mark>.",
        f"ts_headline({CONFIGURATION}, {ESCAPED}, {QUERY}, "
        "'StartSel=<mark>, StopSel=</mark>, MaxFragments=2, MaxWords=25, MinWords=10, FragmentDelimiter=\" … \"')",
        search=Arg(str, "What was searched for."),
    )


@stored("page_version", {"AGENT": "array['EDITOR', 'ADMIN'] && :roles"}, tag=Tag.PAGE_VERSION, key=("id",))
@strawberry.type(description="One version of a page, for editors.")
class PageVersion(Node):
    """A draft, a published, a scheduled or a past version."""

    slug: str = column("Slug of the page.")
    number: int = column("1, 2, 3 … per page.")
    title_fr: str = column("Title in French.")
    title_en: str = column("Title in English.")
    summary_fr: str = column("Summary in French.")
    summary_en: str = column("Summary in English.")
    body_fr: str = column("Markdown in French.")
    body_en: str = column("Markdown in English.")
    html_fr: str = column("Safe HTML in French, for a preview.")
    html_en: str = column("Safe HTML in English.")
    visible_from: datetime | None = column("Since or from when it is seen; null for a draft.")
    visible_until: datetime | None = column("Until when.")
    created_at: datetime = column("When it was saved.")


@strawberry.type
class PageQueries:
    """Root fields about pages."""

    pages: Connection[Page] = listed(
        "Published pages; the best matches first when one searches.",
        "true",
        BY_PAGE,
        may=READ_BY_ALL,
        category=Arg(
            str | None,
            "Only this branch of the tree and those below, by its code.",
            filters="{o}.category_id in (with recursive below as ("
            "select c.id from page_category c where c.code = :arg_category "
            "union select c.id from page_category c join below b on c.parent_id = b.id) select id from below)",
        ),
        place=Arg(
            str | None,
            "Only pages that speak of this place, by its code.",
            filters="{o}.page_id in (select l.page_id from page_place l join place p on p.id = l.place_id "
            "where p.code = :arg_place)",
        ),
        kind=Arg(
            str | None,
            "Only pages about this kind of procedure, by its code.",
            filters="{o}.page_id in (select l.page_id from page_kind l where l.kind_code = :arg_kind)",
        ),
        search=Arg(
            str | None,
            "Words, in French or English; accents and small slips do not matter.",
            filters=FOUND,
            ranks=BEST_FIRST,
        ),
    )
    page: "Page | None" = one(
        "A published page by its slug, e.g. mentions-legales for the legal notice.",
        "{o}.page_id = (select p.id from page p where p.slug = :arg_slug)",
        may=READ_BY_ALL,
        slug=Arg(str, "Slug of the page."),
    )
    page_categories: Connection[PageCategory] = listed(
        "The roots of the tree of pages.", "{o}.parent_id is null", BY_POSITION, may=READ_BY_ALL
    )
    page_versions: Connection[PageVersion] = listed(
        "All versions of pages, newest first, for editors.",
        "true",
        NEWEST_FIRST,
        may=EDITOR,
        slug=Arg(str | None, "Only those of this page.", filters="{o}.slug = :arg_slug"),
    )


@strawberry.input(description="For families with a member of these ages.")
class AudienceInput:
    """Part of PageInput."""

    age_from: int = strawberry.field(description="Youngest age, in years.")
    age_until: int = strawberry.field(description="Ages are below this.")
    at_school: bool | None = strawberry.field(
        default=None, description="Only members whose school is known, or only others."
    )


@strawberry.input(description="A page, as an editor gives it.")
class PageInput:
    """Input of savePage."""

    slug: str = strawberry.field(description="Its place in addresses: small letters, digits and single dashes.")
    category: str = strawberry.field(description="Code of its category.")
    title_fr: str = strawberry.field(description="Title in French, 200 characters at the most.")
    title_en: str = strawberry.field(description="Title in English.")
    summary_fr: str = strawberry.field(description="One sentence in French, 500 characters at the most.")
    summary_en: str = strawberry.field(description="One sentence in English.")
    body_fr: str = strawberry.field(description="Markdown in French, 100,000 characters at the most.")
    body_en: str = strawberry.field(description="Markdown in English.")
    places: list[str] = strawberry.field(default_factory=list, description="Codes of the places that it speaks of.")
    before: list[str] = strawberry.field(
        default_factory=list, description="Codes of kinds of procedure that it prepares."
    )
    after: list[str] = strawberry.field(
        default_factory=list, description="Codes of kinds of procedure that it follows."
    )
    tariffs: list[str] = strawberry.field(
        default_factory=list, description="Codes of the tariffs that it says the prices of."
    )
    audiences: list[AudienceInput] = strawberry.field(
        default_factory=list, description="For whom it is, so that families find it; 10 at the most."
    )
    invoices: list[InvoiceMoment] = strawberry.field(
        default_factory=list, description="Which open invoices it helps with, so that families that have one find it."
    )


@strawberry.type(description="What a command on pages gives.")
class PagePayload(Payload):
    """Payload of commands on pages."""

    version: PageVersion | None = written("The version that was written, unless refused.", on="{o}.id = :source_id")


@strawberry.type(description="What a command on categories gives.")
class PageCategoryPayload(Payload):
    """Payload of savePageCategory."""

    category: PageCategory | None = written("The category as it stands now, unless refused.", on="{o}.id = :source_id")


SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
CODE = re.compile(r"[a-z][a-z0-9-]{1,59}")
MOST_LINKS = 100
MOST_AUDIENCES = 10
OLDEST = 121


def _checked(info: Info, good: bool, *path: str) -> None:
    if not good:
        raise info.context.refusal("BAD_USER_INPUT", list(path))


def _check_page(info: Info, given: PageInput) -> None:
    """Raise Refusal BAD_USER_INPUT with the path of the first fault."""
    _checked(info, len(given.slug) <= 100 and SLUG.fullmatch(given.slug) is not None, "page", "slug")
    for name, text in (("titleFr", given.title_fr), ("titleEn", given.title_en)):
        _checked(info, 1 <= len(text) <= 200, "page", name)
    for name, text in (("summaryFr", given.summary_fr), ("summaryEn", given.summary_en)):
        _checked(info, len(text) <= 500, "page", name)
    for name, text in (("bodyFr", given.body_fr), ("bodyEn", given.body_en)):
        _checked(info, len(text) <= 100_000, "page", name)
    lists = {"places": given.places, "before": given.before, "after": given.after, "tariffs": given.tariffs}
    for name, links in lists.items():
        _checked(info, len(links) <= MOST_LINKS, "page", name)
    _checked(info, len(given.audiences) <= MOST_AUDIENCES, "page", "audiences")
    for place, each in enumerate(given.audiences):
        _checked(info, 0 <= each.age_from < each.age_until <= OLDEST, "page", "audiences", str(place))


Slug = Annotated[str, strawberry.argument(description="Slug of the page.")]


@strawberry.type
class PageMutations:
    """Commands about pages."""

    @mutation(may=EDITOR, description="Write a category of the tree of pages, new or known by its code.")
    async def save_page_category(
        info: Info,
        code: Annotated[str, strawberry.argument(description="Stable code.")],
        title_fr: Annotated[str, strawberry.argument(description="Title in French.")],
        title_en: Annotated[str, strawberry.argument(description="Title in English.")],
        parent: Annotated[str | None, strawberry.argument(description="Code of the branch above.")] = None,
        position: Annotated[int, strawberry.argument(description="Place among its sisters, small first.")] = 0,
    ) -> PageCategoryPayload:
        """The tree."""
        _checked(info, CODE.fullmatch(code) is not None, "code")
        _checked(info, 1 <= len(title_fr) <= 200, "titleFr")
        _checked(info, 1 <= len(title_en) <= 200, "titleEn")
        title = title_fr, title_en
        return PageCategoryPayload(id=await pages.save_category(info.context, code, parent, title, position))

    @mutation(may=EDITOR, description="Write the next version of a page; it is a draft until it is published.")
    async def save_page(
        info: Info, page: Annotated[PageInput, strawberry.argument(description="The page.")]
    ) -> PagePayload:
        """Versions."""
        _check_page(info, page)
        kinds = [(code, "BEFORE") for code in page.before] + [(code, "AFTER") for code in page.after]
        french = pages.Words(page.title_fr, page.summary_fr, page.body_fr)
        english = pages.Words(page.title_en, page.summary_en, page.body_en)
        audiences = [(each.age_from, each.age_until, each.at_school) for each in page.audiences]
        links = pages.Links(page.places, kinds, page.tariffs, audiences, {each.name for each in page.invoices})
        saved = await pages.save(info.context, page.slug, page.category, french, english, links)
        return PagePayload(id=saved)

    @mutation(
        may=EDITOR,
        description="Let a version of a page be seen, in the place of the one before.",
    )
    async def publish_page(
        info: Info,
        slug: Slug,
        version: Annotated[int | None, strawberry.argument(description="Its number; the newest unless given.")] = None,
        visible_from: Annotated[
            datetime | None, strawberry.argument(description="From when; now unless given.")
        ] = None,
        visible_until: Annotated[
            datetime | None, strawberry.argument(description="Until when; for good unless given.")
        ] = None,
    ) -> PagePayload:
        """Publication and schedule."""
        return PagePayload(id=await pages.publish(info.context, slug, version, visible_from, visible_until))

    @mutation(may=EDITOR, description="Show a page no longer; its versions stay.")
    async def archive_page(info: Info, slug: Slug) -> PagePayload:
        """Archive."""
        await pages.archive(info.context, slug)
        return PagePayload()
