"""What a new draft is filled in with: the family's data, and the answers it chose to keep (R2).

A field says in `x-prefill` where its answer comes from; else, and where nothing is known, it is taken from the last
procedure of the same kind for the same member. Only what the form would accept is filled in.
"""

from typing import Any
from uuid import UUID

import msgspec

from db import prefill as stored
from db.procedures import Kind
from resolvers.context import Context
from resolvers.forms import faults
from resolvers.retention import KEPT_UNLESS_SAID


async def prefilled(tx: Any, context: Context, kind: Kind, member_id: UUID | None) -> dict[str, Any]:
    """Give the answers that are known already."""
    family_id, account_id = context.viewer.family, context.viewer.account
    form = msgspec.json.decode(kind.form)
    known = await stored.known(tx, family_id, account_id, member_id)
    keeps = await stored.keeps(tx, family_id, "ANSWERS", unless_said=KEPT_UNLESS_SAID["ANSWERS"])
    earlier = await stored.last_answers(tx, family_id, kind.code, member_id) if keeps else None
    answers = earlier if isinstance(earlier, dict) else {}
    found = {
        name: value
        for name, field in form["properties"].items()
        if (value := _answer(field.get("x-prefill", "answers"), name, known, answers)) is not None
    }
    wrong = {fault.pointer.split("/")[1] for fault in faults(kind.form, found) if fault.pointer}
    return {name: value for name, value in found.items() if name not in wrong}


def _answer(source: str, name: str, known: dict[str, Any], answers: dict[str, Any]) -> Any:
    """Give the answer of a field from its source; None where nothing is known."""
    if source == "none":
        return None
    value = known.get(source)
    return answers.get(name) if value is None else value
