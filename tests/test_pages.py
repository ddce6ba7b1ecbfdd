"""Information pages: written by editors, published for a time, found by everybody."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from tests.house import House

CATEGORY = """mutation ($code: String!, $parent: String) {
    savePageCategory(code: $code, titleFr: "Enfance", titleEn: "Childhood", parent: $parent) {
        problems { code path } category { id code } } }"""
SAVE = """mutation ($page: PageInput!) { savePage(page: $page) {
    problems { code path } version { id slug number visibleFrom htmlFr } } }"""
PUBLISH = """mutation ($slug: String!, $version: Int, $from: DateTime, $until: DateTime) {
    publishPage(slug: $slug, version: $version, visibleFrom: $from, visibleUntil: $until) {
        problems { code path } version { id number visibleFrom visibleUntil } } }"""
ARCHIVE = "mutation ($slug: String!) { archivePage(slug: $slug) { problems { code path } } }"
READ = "query ($slug: String!) { page(slug: $slug) { id slug title summary body html version category { code } } }"
SEARCH = """query ($search: String!, $first: Int, $after: String) {
    pages(search: $search, first: $first, after: $after) {
        totalCount edges { cursor node { slug highlight(search: $search) } } } }"""
PAGE: dict[str, Any] = {
    "slug": "cantine-essai",
    "category": "essai",
    "titleFr": "La cantine à l’école",
    "titleEn": "School canteen",
    "summaryFr": "Menus, prix et inscription.",
    "summaryEn": "Menus, prices and registration.",
    "bodyFr": "# Menus\n\nLes repas sont **préparés** chaque matin.\n\n- lundi\n- mardi",
    "bodyEn": "# Menus\n\nMeals are cooked every morning.",
}


async def editor(house: House) -> str:
    """Give an access token of somebody who may edit, with a category to edit in."""
    token = await house.sign_in("admin@mairie.example", agent=True)
    await house.do(CATEGORY, token, code="essai", parent=None)
    return token


async def published(house: House, token: str, **changes: Any) -> None:
    """Save a page and publish it."""
    page = {**PAGE, **changes}
    await house.do(SAVE, token, page=page)
    await house.do(PUBLISH, token, slug=page["slug"])


async def read(house: House, slug: str = "cantine-essai", token: str | None = None) -> Any:
    """Give a page as everybody sees it."""
    return (await house.ask(READ, token, slug=slug)).data["page"]


async def an_hour_later(house: House) -> None:
    """Let an hour pass for a page of two versions: when they are seen goes by the clock of the database."""
    for number in (1, 2):
        await house.connection.execute(
            "update page_version set visible_from = visible_from - interval '1 hour', "
            "visible_until = visible_until - interval '1 hour' where slug = 'cantine-essai' and number = $1",
            number,
        )


async def test_a_page_is_a_draft_until_it_is_published(house: House) -> None:
    token = await editor(house)
    await house.do(SAVE, token, page=PAGE)
    assert await read(house) is None
    assert await read(house, token=token) is None, "the published page of an editor is everybody's"
    await house.do(PUBLISH, token, slug="cantine-essai")
    page = await read(house)
    assert (page["title"], page["version"], page["category"]["code"]) == ("La cantine à l’école", 1, "essai")
    assert "<h2>Menus</h2>" in page["html"] and "<strong>préparés</strong>" in page["html"]
    assert page["body"] == PAGE["bodyFr"]


async def test_a_new_version_takes_the_place_of_the_one_before_under_the_same_id(house: House) -> None:
    token = await editor(house)
    await published(house, token)
    before = await read(house)
    await house.do(SAVE, token, page={**PAGE, "titleFr": "Cantine 2"})
    assert (await read(house))["title"] == before["title"], "what is saved is not yet published"
    await house.do(PUBLISH, token, slug="cantine-essai")
    after = await read(house)
    assert (after["id"], after["version"], after["title"]) == (before["id"], 2, "Cantine 2")
    await house.do(PUBLISH, token, slug="cantine-essai", version=1)
    assert (await read(house))["version"] == 1, "a version may come back"


async def test_a_version_scheduled_behind_the_one_in_force_takes_over_at_its_moment(house: House) -> None:
    token = await editor(house)
    await published(house, token)
    await house.do(SAVE, token, page={**PAGE, "titleFr": "Dès demain"})
    soon = house.clock() + timedelta(hours=1)
    until = soon + timedelta(hours=1)
    await house.do(PUBLISH, token, slug="cantine-essai", **{"from": soon.isoformat(), "until": until.isoformat()})
    assert (await read(house))["version"] == 1
    await an_hour_later(house)
    assert (await read(house))["title"] == "Dès demain"
    await an_hour_later(house)
    assert await read(house) is None, "its time is over, and none follows"


async def test_two_editors_who_publish_at_once_leave_one_version_in_force(house: House) -> None:
    token = await editor(house)
    for _ in range(4):
        await house.do(SAVE, token, page=PAGE)
    publish = [house.problems(PUBLISH, token, slug="cantine-essai", version=n) for n in (1, 2, 3, 4)]
    assert await asyncio.gather(*publish) == [[]] * 4
    in_force = "select count(*) from page_version where visible_from <= now() and visible_until is null"
    assert await house.connection.fetchval(in_force + " and slug = 'cantine-essai'") == 1


async def test_an_archived_page_is_gone_for_everybody_and_comes_back_when_published(house: House) -> None:
    token = await editor(house)
    await published(house, token)
    await house.do(ARCHIVE, token, slug="cantine-essai")
    assert await read(house) is None
    await house.do(PUBLISH, token, slug="cantine-essai")
    assert await read(house) is not None


@pytest.mark.parametrize("body", ["<script>alert(1)</script>", "[x](javascript:alert(1))", "![x](https://a/b.png)"])
async def test_markdown_never_becomes_a_script(house: House, body: str) -> None:
    await published(house, await editor(house), bodyFr=body)
    html = (await read(house))["html"]
    assert not any(part in html for part in ("<script", "<img", 'href="javascript'))


@pytest.mark.parametrize(
    "words", ["cantine", "CANTINES", "ecole", "école", "repas préparé", "cantinne", "canteen", "menu"]
)
async def test_a_search_forgives_accents_endings_and_slips(house: House, words: str) -> None:
    await published(house, await editor(house))
    found = (await house.ask(SEARCH, search=words)).data["pages"]
    assert "cantine-essai" in [edge["node"]["slug"] for edge in found["edges"]]


async def test_the_best_match_comes_first_and_pages_of_results_do_not_overlap(house: House) -> None:
    token = await editor(house)
    await published(house, token, slug="a-cote", titleFr="Transports", bodyFr="Un arrêt devant la trottinothèque.")
    await published(house, token, slug="au-but", titleFr="La trottinothèque", bodyFr="Prêt de trottinettes.")
    await published(house, token, slug="ailleurs", titleFr="Piscine", bodyFr="Horaires.", summaryFr="Nager.")
    first = (await house.ask(SEARCH, search="trottinothèque", first=1)).data["pages"]
    assert first["totalCount"] == 2
    assert [edge["node"]["slug"] for edge in first["edges"]] == ["au-but"]
    rest = (await house.ask(SEARCH, search="trottinothèque", after=first["edges"][0]["cursor"])).data["pages"]
    assert [edge["node"]["slug"] for edge in rest["edges"]] == ["a-cote"]


async def test_a_highlight_marks_the_words_and_lets_no_html_through(house: House) -> None:
    await published(house, await editor(house), bodyFr="Les trottinettes `<b onclick=x>` sont préparées ici.")
    [edge] = (await house.ask(SEARCH, search="trottinettes préparer")).data["pages"]["edges"]
    assert "<mark>préparées</mark>" in edge["node"]["highlight"]
    assert "<b" not in edge["node"]["highlight"]


@pytest.mark.parametrize("words", ["", " ", "'", "!!! & |", "a" * 5000, "\\", "%", "-", "“”"])
async def test_a_strange_search_finds_nothing_and_harms_nothing(house: House, words: str) -> None:
    await published(house, await editor(house))
    assert (await house.ask(SEARCH, search=words)).data["pages"]["edges"] == []


async def test_a_branch_of_the_tree_holds_the_pages_below_it_and_never_a_circle(house: House) -> None:
    token = await editor(house)
    await house.do(CATEGORY, token, code="essai-sous", parent="essai")
    await published(house, token, category="essai-sous")
    listed = "query ($category: String) { pages(category: $category) { edges { node { slug } } } }"
    found = (await house.ask(listed, category="essai")).data["pages"]["edges"]
    assert [edge["node"]["slug"] for edge in found] == ["cantine-essai"]
    assert await house.problems(CATEGORY, token, code="essai", parent="essai-sous") == ["BAD_USER_INPUT"]
    assert await house.problems(CATEGORY, token, code="essai", parent="essai") == ["BAD_USER_INPUT"]


@pytest.mark.parametrize(
    ("change", "code", "path"),
    [
        ({"slug": "Été"}, "BAD_USER_INPUT", ["page", "slug"]),
        ({"titleFr": ""}, "BAD_USER_INPUT", ["page", "titleFr"]),
        ({"bodyEn": "x" * 100_001}, "BAD_USER_INPUT", ["page", "bodyEn"]),
        ({"category": "aucune"}, "NOT_FOUND", ["category"]),
        ({"places": ["nulle-part"]}, "NOT_FOUND", ["places"]),
        ({"before": ["aucune"]}, "NOT_FOUND", ["kinds"]),
    ],
)
async def test_a_wrong_page_is_refused_with_its_path_and_leaves_nothing(
    house: House, change: dict[str, Any], code: str, path: list[str]
) -> None:
    token = await editor(house)
    reply = await house.ask(SAVE, token, page={**PAGE, **change})
    if reply.status != 413:  # a text beyond the body's limit does not even get so far
        assert reply.data["savePage"]["problems"] == [{"code": code, "path": path}]
    assert not await house.connection.fetchval("select exists (select from page where slug = 'cantine-essai')")


async def test_nobody_but_an_editor_writes_publishes_or_sees_drafts(house: House) -> None:
    token = await editor(house)
    saved = await house.do(SAVE, token, page=PAGE)
    _, family = await house.member()
    node = "query ($id: ID!) { node(id: $id) { id } }"
    for other, refusal in ((None, "UNAUTHENTICATED"), (family, "FORBIDDEN"), (await house.agent(), "FORBIDDEN")):
        assert (await house.ask(SAVE, other, page=PAGE)).codes == [refusal]
        assert (await house.ask(PUBLISH, other, slug="cantine-essai")).codes == [refusal]
        assert (await house.ask("{ pageVersions { edges { node { id } } } }", other)).codes == [refusal]
        assert (await house.ask(node, other, id=saved["version"]["id"])).data["node"] is None
    assert await read(house) is None


async def test_a_kind_names_its_pages_by_phase(house: House) -> None:
    query = """query ($phase: Phase) { procedureKind(code: "cantine") { pages(phase: $phase, first: 10) {
        edges { node { slug kinds(phase: $phase, first: 10) { edges { node { code } } } } } } } }"""
    found = {}
    for phase in ("BEFORE", "AFTER", None):
        pages = (await house.ask(query, phase=phase)).data["procedureKind"]["pages"]["edges"]
        found[phase] = {edge["node"]["slug"] for edge in pages}
        codes = [{kind["node"]["code"] for kind in edge["node"]["kinds"]["edges"]} for edge in pages]
        assert all(each == {"cantine"} for each in codes), "the link is the same from both sides, and nothing else is"
    linked = await house.connection.fetch(
        "select distinct v.slug, l.phase from page_kind l join page_version v on v.page_id = l.page_id "
        "where l.kind_code = 'cantine' and v.visible_from <= now()"
    )
    for phase in ("BEFORE", "AFTER"):
        assert found[phase] == {row["slug"] for row in linked if row["phase"] == phase}
    assert found["BEFORE"] and found[None] == found["BEFORE"] | found["AFTER"]
