"""Kinds of procedure: written by editors as versions, checked strictly, open for a time and for so many."""

import asyncio
import copy
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from db.ids import uuid7
from resolvers.form_dialect import form_faults, is_safe
from tests.house import START, SUBMIT, House
from tests.life import (
    FORM,
    KIND_FIELDS,
    RETIRE,
    SAVE_KIND,
    WITHDRAW,
    admin,
    draft,
    kind_input,
    nodes,
    read,
    refused,
    save_kind,
    submitted,
)

KIND = f"query ($code: String!) {{ procedureKind(code: $code) {{ {KIND_FIELDS} }} }}"
RUNNING = "query ($id: ID!) { node(id: $id) { ... on Procedure { kind { version title isOpen } } } }"


async def test_a_running_procedure_keeps_its_version_when_the_kind_changes(house: House) -> None:
    editor, (_, token) = await admin(house), await house.member()
    first = await save_kind(house, editor, titleFr="Un")
    running = await submitted(house, token)
    second = await save_kind(house, editor, titleFr="Deux", form=with_form(lambda form: form["required"].remove("day")))
    assert (first["version"], second["version"]) == (1, 2)
    kind = (await house.ask(RUNNING, token, id=running)).data["node"]["kind"]
    assert kind == {"version": 1, "title": "Un", "isOpen": False}
    assert (await house.ask(KIND, code="essai")).data["procedureKind"]["title"] == "Deux"
    await submitted(house, token, answers={"first_name": "Zoé", "people": 1})


async def test_the_same_kind_again_makes_no_new_version(house: House) -> None:
    editor = await admin(house)
    documents = [{"code": "plan", "labelFr": "Plan", "labelEn": "Map"}]
    saved = [await save_kind(house, editor, requiredDocuments=documents) for _ in range(2)]
    assert saved[0] == saved[1]
    assert nodes(saved[0]["requiredDocuments"]) == [{"code": "plan", "label": "Plan", "help": None, "required": True}]
    changed = await save_kind(house, editor, requiredDocuments=[*documents, {**documents[0], "code": "photo"}])
    assert [each["code"] for each in nodes(changed["requiredDocuments"])] == ["plan", "photo"]


async def test_of_two_editors_who_change_the_same_version_one_is_told(house: House) -> None:
    editor = await admin(house)
    await save_kind(house, editor, version=0)
    changes = [
        house.problems(SAVE_KIND, editor, kind=kind_input(version=1, titleFr=f"Titre {number}")) for number in range(4)
    ]
    assert sorted(await asyncio.gather(*changes)) == [[], *[["KIND_CHANGED"]] * 3]
    assert (await house.ask(KIND, code="essai")).data["procedureKind"]["version"] == 2


async def test_a_retired_kind_is_not_started_but_goes_on_where_it_runs(house: House) -> None:
    editor, (_, token) = await admin(house), await house.member()
    await save_kind(house, editor)
    running, waiting = await submitted(house, token), await draft(house, token)
    await house.do(RETIRE, editor, code="essai")
    assert await house.problems(RETIRE, editor, code="essai") == ["NOT_FOUND"]
    assert await house.problems(START, token, kind="essai", key=str(uuid7())) == ["KIND_NOT_OPEN"]
    assert await house.problems(SUBMIT, token, procedure=waiting) == ["KIND_NOT_OPEN"]
    assert (await read(house, token, waiting))["status"] == "DRAFT"
    await house.do(WITHDRAW, token, procedure=running)
    assert (await save_kind(house, editor))["version"] == 2, "a code that comes back goes on counting"


async def test_families_and_plain_agents_write_no_kinds(house: House) -> None:
    _, token = await house.member()
    for viewer in (token, await house.agent("scolaire"), None):
        assert (await house.ask(SAVE_KIND, viewer, kind=kind_input())).codes in (["FORBIDDEN"], ["UNAUTHENTICATED"])
    assert (await house.ask(KIND, code="essai")).data["procedureKind"] is None


async def test_outside_its_period_a_kind_is_refused_with_the_day(house: House) -> None:
    editor, (_, token) = await admin(house), await house.member()
    today = house.clock().date()
    opens, closes = today + timedelta(days=10), today + timedelta(days=20)
    saved = await save_kind(house, editor, opensOn=str(opens), closesOn=str(closes))
    assert (saved["isOpen"], saved["opensOn"], saved["closesOn"]) == (False, str(opens), str(closes))
    early = await refused(house, START, token, kind="essai", key=str(uuid7()))
    assert early["problems"][0]["code"] == "KIND_NOT_OPEN" and str(opens.year) in early["problems"][0]["message"]
    house.clock.ahead = timedelta(days=12)
    token = await house.sign_in(await first_email(house, token))
    waiting = await draft(house, token)
    await submitted(house, token)
    house.clock.ahead = timedelta(days=22)
    token = await house.sign_in(await first_email(house, token))
    late = await refused(house, SUBMIT, token, procedure=waiting)
    assert late["problems"][0]["code"] == "KIND_NOT_OPEN" and "jusqu’au" in late["problems"][0]["message"]
    assert await house.problems(START, token, kind="essai", key=str(uuid7())) == ["KIND_NOT_OPEN"]
    house.clock.ahead = timedelta()


async def first_email(house: House, token: str) -> str:
    """Give the address that the family of the last sign-in has."""
    email: str = await house.connection.fetchval(
        "select a.email from session s join account a on a.id = s.account_id order by s.created_at desc limit 1"
    )
    return email


async def test_exactly_as_many_places_are_given_as_there_are(house: House) -> None:
    editor = await admin(house)
    await save_kind(house, editor, capacity=5)
    families = [(await house.member())[1] for _ in range(12)]
    drafts = [await draft(house, token) for token in families]
    told = await asyncio.gather(
        *(house.problems(SUBMIT, token, procedure=each) for token, each in zip(families, drafts, strict=True))
    )
    assert sorted(told) == [*[[]] * 5, *[["KIND_FULL"]] * 7]
    assert (await house.ask(KIND, code="essai")).data["procedureKind"]["placesLeft"] == 0
    assert await house.problems(START, families[0], kind="essai", key=str(uuid7())) == ["KIND_FULL"]
    winner = told.index([])
    await house.do(WITHDRAW, families[winner], procedure=drafts[winner])
    assert (await house.ask(KIND, code="essai")).data["procedureKind"]["placesLeft"] == 1, "a place comes back"
    loser = told.index(["KIND_FULL"])
    await house.do(SUBMIT, families[loser], procedure=drafts[loser])
    held = "select count(*) from procedure p join procedure_kind k on k.id = p.kind_id where k.code = 'essai'"
    assert await house.connection.fetchval(f"{held} and p.status = 'SUBMITTED'") == 5


async def test_a_limit_set_later_counts_those_who_came_before_while_others_come(house: House) -> None:
    editor, (_, token) = await admin(house), await house.member()
    await save_kind(house, editor)
    drafts = [await draft(house, token) for _ in range(6)]
    await asyncio.gather(
        *(house.ask(SUBMIT, token, procedure=each) for each in drafts),
        save_kind(house, editor, capacity=4),
    )
    kept = await house.connection.fetchval("select taken from kind_intake where code = 'essai'")
    held = await house.connection.fetchval(
        "select count(*) from procedure p join procedure_kind k on k.id = p.kind_id where k.code = 'essai' "
        "and p.status = 'SUBMITTED'"
    )
    assert kept == held >= 4


def with_form(change: Callable[[Any], Any]) -> Any:
    """Give the form of tests with a change."""
    form = copy.deepcopy(FORM)
    change(form)
    return form


def field(name: str, **words: Any) -> Callable[[Any], Any]:
    """Change words of a field; None takes one away."""

    def change(form: Any) -> None:
        each = form["properties"][name]
        for word, value in words.items():
            key = {"x_title_en": "x-title-en", "x_prefill": "x-prefill"}.get(word, word)
            each.pop(key, None) if value is None else each.update({key: value})

    return change


def nested(depth: int) -> Callable[[Any], Any]:
    """Put objects inside each other."""

    def change(form: Any) -> None:
        inside = form["properties"]["remark"]
        for _ in range(depth):
            inside = {
                "title": "T",
                "x-title-en": "T",
                "type": "object",
                "properties": {"in": inside},
                "additionalProperties": False,
                "x-order": ["in"],
            }
        form["properties"]["remark"] = inside

    return change


WRONG: list[tuple[Callable[[Any], Any], str]] = [
    (lambda form: form.pop("$schema"), "/$schema"),
    (lambda form: form.update({"$schema": "http://json-schema.org/draft-07/schema#"}), "/$schema"),
    (lambda form: form.update(type="array"), "/type"),
    (lambda form: form.pop("title"), "/title"),
    (lambda form: form.pop("additionalProperties"), "/additionalProperties"),
    (lambda form: form.update(additionalProperties=True), "/additionalProperties"),
    (lambda form: form["required"].append("nobody"), "/required"),
    (lambda form: form["x-order"].pop(), "/x-order"),
    (lambda form: form.pop("x-order"), "/x-order"),
    (lambda form: form.update({"$ref": "https://evil.example/form.json"}), "/$ref"),
    (lambda form: form.update(allOf=[{"$ref": "#"}]), "/allOf"),
    (lambda form: form["properties"].update({"a/b": form["properties"]["day"]}), "/x-order"),
    (lambda form: form.update(properties={}), "/properties"),
    (lambda form: form.update(properties=["day"]), "/properties"),
    (field("day", x_title_en=None), "/properties/day/x-title-en"),
    (field("day", title=7), "/properties/day/title"),
    (field("day", description="Aide."), "/properties/day/x-description-en"),
    (field("day", format="ipv6"), "/properties/day/format"),
    (field("day", type=None), "/properties/day/type"),
    (field("day", type="null"), "/properties/day/type"),
    (field("day", type=["string", "null"]), "/properties/day/type"),
    (field("day", x_prefill="family.balance"), "/properties/day/x-prefill"),
    (field("people", maximum="9"), "/properties/people/maximum"),
    (field("people", minimum=10), "/properties/people/maximum"),
    (field("people", maximum=10**15), "/properties/people/maximum"),
    (field("people", minimum=True), "/properties/people/minimum"),
    (field("people", multipleOf=2), "/properties/people/multipleOf"),
    (field("remark", maxLength=None), "/properties/remark/maxLength"),
    (field("remark", maxLength=10**6), "/properties/remark/maxLength"),
    (field("remark", pattern="^(a+)+$"), "/properties/remark/pattern"),
    (field("remark", pattern="(?=a)a"), "/properties/remark/pattern"),
    (field("remark", pattern="^[a-z$"), "/properties/remark/pattern"),
    (field("remark", oneOf=[]), "/properties/remark/oneOf"),
    (field("remark", oneOf=7), "/properties/remark/oneOf"),
    (field("remark", oneOf=[{"const": "A", "title": "A"}]), "/properties/remark/oneOf/0/x-title-en"),
    (field("remark", oneOf=[{"title": "A", "x-title-en": "A"}]), "/properties/remark/oneOf/0/const"),
    (field("remark", enum=["A"]), "/properties/remark/enum"),
    (field("remark", type="array", maxLength=None), "/properties/remark/items"),
    (lambda form: form["properties"].update(day="string"), "/properties/day"),
    (nested(3), "/properties/remark/properties/in/properties/in"),
    (lambda form: form.update(description="x" * 60_000), ""),
]


@pytest.mark.parametrize(("change", "pointer"), WRONG, ids=[f"{n} {pointer}" for n, (_, pointer) in enumerate(WRONG)])
def test_each_fault_of_a_form_is_told_by_its_pointer(change: Callable[[Any], Any], pointer: str) -> None:
    assert form_faults(FORM) == []
    assert pointer in [fault.pointer for fault in form_faults(with_form(change))]


def test_what_is_nested_too_deeply_is_not_looked_into() -> None:
    form = with_form(nested(3))
    deepest = form["properties"]["remark"]["properties"]["in"]["properties"]["in"]
    deepest["properties"] = {"in": 7}
    assert [fault.pointer for fault in form_faults(form)] == ["/properties/remark/properties/in/properties/in"]


@pytest.mark.parametrize("form", [None, [], "x", 7, True, {}, {"type": {}}, {"properties": {"a": {"a": {}}}}])
def test_what_is_no_form_at_all_is_refused_and_breaks_nothing(form: Any) -> None:
    assert form_faults(form)


def test_patterns_are_told_apart_by_the_time_they_may_take() -> None:
    safe = ("^[0-9]{5}$", "^[A-Z]{2}-[0-9]{3}-[A-Z]{2}$", "^0[1-9]([ .]?[0-9]{2}){4}$", "^(M|F)$", r"^\d+(,\d{2})?$")
    unsafe = (
        *("^(a+)+$", "^(a|a)*$", "^(a*)*b$", "^((a+)b?)+$", "^(?:x+x+)+y$", "^(.*)*$", "^(a{1,30}){2,}$"),
        *("a+", "^a", "a$", r"^(a)\1$", "^(?!a)b$", "^a(?<=a)$", "^(", "^" + "a" * 300 + "$"),
    )
    assert [each for each in safe if not is_safe(each)] == []
    assert [each for each in unsafe if is_safe(each)] == []


async def test_a_wrong_form_is_refused_with_every_fault_and_nothing_is_saved(house: House) -> None:
    editor = await admin(house)

    def break_it(form: Any) -> None:
        del form["properties"]["day"]["title"]
        form["properties"]["people"]["minimum"] = 99
        form["x-order"].append("day")

    payload = await refused(house, SAVE_KIND, editor, kind=kind_input(form=with_form(break_it)))
    assert payload["procedureKind"] is None
    assert {(each["code"], *each["path"]) for each in payload["problems"]} == {
        ("FORM_NOT_VALID", "kind", "form", "/properties/day/title"),
        ("FORM_NOT_VALID", "kind", "form", "/properties/people/maximum"),
        ("FORM_NOT_VALID", "kind", "form", "/x-order"),
    }
    assert all(each["message"] for each in payload["problems"])
    assert await house.connection.fetchval("select count(*) from procedure_kind where code = 'essai'") == 0


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"code": "Essai!"}, ["kind", "code"]),
        ({"titleFr": " "}, ["kind", "titleFr"]),
        ({"summaryEn": "x" * 1_001}, ["kind", "summaryEn"]),
        ({"attestationFr": ""}, ["kind", "attestationFr"]),
        ({"decisionMonths": 0}, ["kind", "decisionMonths"]),
        ({"capacity": 0}, ["kind", "capacity"]),
        ({"opensOn": "2026-05-02", "closesOn": "2026-05-01"}, ["kind", "closesOn"]),
        (
            {"requiredDocuments": [{"code": "a b", "labelFr": "A", "labelEn": "A"}]},
            ["kind", "requiredDocuments", "0", "code"],
        ),
        (
            {"requiredDocuments": [{"code": "plan", "labelFr": "A", "labelEn": "A"}] * 2},
            ["kind", "requiredDocuments", "1", "code"],
        ),
        (
            {"requiredDocuments": [{"code": "plan", "labelFr": "A", "labelEn": "A", "helpFr": "B"}]},
            ["kind", "requiredDocuments", "0", "helpEn"],
        ),
    ],
)
async def test_what_else_is_wrong_with_a_kind_is_told_by_its_path(
    house: House, change: dict[str, Any], path: list[str]
) -> None:
    payload = await refused(house, SAVE_KIND, await admin(house), kind={**kind_input(), **change})
    assert [(each["code"], each["path"]) for each in payload["problems"]] == [("BAD_USER_INPUT", path)]


async def test_a_kind_of_no_service_is_not_saved(house: House) -> None:
    payload = await refused(house, SAVE_KIND, await admin(house), kind=kind_input(service="nulle-part"))
    assert [(each["code"], each["path"]) for each in payload["problems"]] == [("NOT_FOUND", ["kind", "service"])]


async def test_a_kind_stays_as_it_was_published(house: House) -> None:
    await save_kind(house, await admin(house))
    assert house.opened is not None
    async with house.opened.process.database.transaction({"kiosque.system": "on"}) as tx:
        may = await tx.fetchval("select has_column_privilege(current_user, 'procedure_kind', 'form', 'update')")
    assert may is False


async def test_every_kind_of_the_demo_city_can_be_saved_by_an_editor_as_it_is(house: House) -> None:
    listed = "{ procedureKinds(first: 100) { edges { node { code form isOpen service { code } } } } }"
    kinds = nodes((await house.ask(listed)).data["procedureKinds"])
    assert len(kinds) == 13 and all(each["isOpen"] for each in kinds)
    editor = await admin(house)
    for each in kinds:
        saved = await save_kind(house, editor, each["code"], form=each["form"], service=each["service"]["code"])
        assert saved["version"] == 2
        assert list(saved["form"]["properties"]) == list(each["form"]["properties"]), "in the order of the editor"
