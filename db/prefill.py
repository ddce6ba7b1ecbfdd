"""What is known of a family that a form may ask for again."""

from typing import Any
from uuid import UUID

import msgspec

KNOWN = """
    select json_build_object(
        'member.first_name', m.first_name, 'member.last_name', m.last_name, 'member.birth_date', m.birth_date,
        'member.school', m.school, 'family.name', f.name, 'family.siret', f.siret, 'family.rna', f.rna,
        'family.registry_number', f.registry_number, 'account.email', a.email)::text
    from family f
    left join account a on a.family_id = f.id and a.id = $2 and a.email_verified_at is not null
    left join member m on m.family_id = f.id and m.id = $3
    where f.id = $1
"""


async def known(tx: Any, family_id: UUID, account_id: UUID, member_id: UUID | None) -> dict[str, Any]:
    """Give the data of a family, by the sources that a form names; null where there is none."""
    found: dict[str, Any] = msgspec.json.decode(await tx.fetchval(KNOWN, family_id, account_id, member_id))
    return found


async def keeps(tx: Any, family_id: UUID, datum: str, *, unless_said: bool) -> bool:
    """Tell whether a family keeps a datum between procedures."""
    chosen: bool | None = await tx.fetchval(
        "select keep from data_choice where family_id = $1 and datum = $2", family_id, datum
    )
    return unless_said if chosen is None else chosen


LAST_ANSWERS = """
    select p.answers::text from procedure p join procedure_kind k on k.id = p.kind_id
    where p.family_id = $1 and k.code = $2 and p.member_id is not distinct from $3 and p.submitted_at is not null
        and p.answers_erased_at is null
    order by p.submitted_at desc limit 1
"""


async def last_answers(tx: Any, family_id: UUID, code: str, member_id: UUID | None) -> Any:
    """Give the answers that a family last submitted for a kind and a member, or None."""
    found = await tx.fetchval(LAST_ANSWERS, family_id, code, member_id)
    return None if found is None else msgspec.json.decode(found)
