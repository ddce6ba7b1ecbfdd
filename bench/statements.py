"""One hand-written statement for each of the four reads: what somebody who knows SQL would write, without policies.

Each gives the very JSON of the portal's answer, so that answers can be compared.
"""


def _id(tag: int, row: str, *columns: str) -> str:
    """Give the expression of a global id."""
    parts = " || ".join(f"uuid_send({row}.{column})" for column in columns)
    return f"encode('\\x{tag:02x}'::bytea || {parts}, 'base64')"


def _cursor(name: str, value: str) -> str:
    """Give the expression of a cursor over one column."""
    return (
        f"translate(encode(convert_to(json_build_array('{name}', {value}::text)::text, 'UTF8'), 'base64'), E'\\n', '')"
    )


FAMILY = _id(6, "f", "id")
MEMBER = _id(3, "m", "family_id", "id")
KIND = _id(7, "k", "id")
PROCEDURE = _id(9, "p", "family_id", "id")

ME = f"""
select convert_to(json_build_object('viewer', json_build_object(
    'account', (select json_build_object('id', {_id(4, "a", "family_id", "id")}, 'email', a.email,
            'language', a.language, 'createdAt', a.created_at)
        from account a where a.family_id = $1::uuid and a.id = $2::uuid),
    'family', (select json_build_object('id', {FAMILY}, 'number', f.number, 'name', f.name, 'profile', f.profile,
            'members', json_build_object('edges', (
                select coalesce(json_agg(json_build_object('node', json_build_object('id', {MEMBER},
                    'role', m.role, 'firstName', m.first_name, 'lastName', m.last_name, 'birthDate', m.birth_date,
                    'school', m.school))), '[]')
                from (select * from member where family_id = $1::uuid order by id limit 20) m)))
        from family f where f.id = $1::uuid)))::text, 'UTF8')
"""
"""$1 family, $2 account."""

DASHBOARD = f"""
select convert_to(json_build_object('viewer', json_build_object('family', (
    select json_build_object('id', {FAMILY}, 'number', f.number, 'name', f.name,
        'members', json_build_object('edges', (
            select coalesce(json_agg(json_build_object('node', json_build_object('id', {MEMBER},
                'role', m.role, 'firstName', m.first_name, 'lastName', m.last_name))), '[]')
            from (select * from member where family_id = $1::uuid order by id limit 20) m)),
        'procedures', (
            select json_build_object(
                'edges', coalesce(json_agg(json_build_object('cursor', p.cursor, 'node', p.node))
            filter (where p.n <= $2), '[]'),
                'pageInfo', json_build_object('hasNextPage', count(*) > $2,
                    'endCursor', (array_agg(p.cursor) filter (where p.n <= $2))[least(count(*), $2)]))
            from (
                select row_number() over () as n, {_cursor("Procedure", "p.id")} as cursor,
                    json_build_object('id', {PROCEDURE}, 'reference', p.reference, 'status', p.status,
                        'submittedAt', p.submitted_at, 'impliedDecisionOn', p.implied_decision_on,
                        'updatedAt', p.updated_at,
                        'kind', (select json_build_object('code', k.code,
                            'title', case $3::text when 'en' then k.title_en else k.title_fr end)
                            from procedure_kind k where k.id = p.kind_id),
                        'events', json_build_object('edges', (
                            select coalesce(json_agg(json_build_object('node', json_build_object('number', e.number,
                                'toStatus', e.to_status, 'actor', e.actor, 'message', e.message,
                                'occurredAt', e.occurred_at))), '[]')
                            from (select * from procedure_event where family_id = $1::uuid and procedure_id = p.id
                                order by id limit 10) e))) as node
                from (select * from procedure where family_id = $1::uuid order by id desc limit $2::bigint + 1) p) p),
        'inbox', json_build_object('edges', (
            select coalesce(json_agg(json_build_object('cursor', {_cursor("NewsItem", "w.seq")},
                'node', json_build_object('id', {_id(11, "w", "family_id", "id")}, 'type', w.type,
                    'summary', w.data ->> case $3::text when 'en' then 'summary_en' else 'summary_fr' end,
                    'occurredAt', w.occurred_at, 'readAt', w.read_at,
                    'deliveries', json_build_object('edges', (
                        select coalesce(json_agg(json_build_object('node', json_build_object('channel', d.channel,
                            'address', d.address, 'status', d.status, 'sentAt', d.sent_at))), '[]')
                        from (select * from delivery where family_id = $1::uuid and news_seq = w.seq
                            order by id desc limit 3) d))))), '[]')
            from (select * from news where family_id = $1::uuid order by seq desc limit 12) w)))
    from family f where f.id = $1::uuid)))::text, 'UTF8')
"""
"""$1 family, $2 how many procedures, $3 language."""

WORK = f"""
select convert_to(json_build_object('procedures', (
    select json_build_object(
        'edges', coalesce(json_agg(json_build_object('cursor', p.cursor, 'node', p.node))
            filter (where p.n <= $3), '[]'),
        'pageInfo', json_build_object('hasNextPage', count(*) > $3,
            'endCursor', (array_agg(p.cursor) filter (where p.n <= $3))[least(count(*), $3)]))
    from (
        select row_number() over () as n, {_cursor("Procedure", "p.id")} as cursor,
            json_build_object('id', {PROCEDURE}, 'reference', p.reference, 'status', p.status,
                'submittedAt', p.submitted_at, 'updatedAt', p.updated_at,
                'kind', (select json_build_object('code', k.code,
                    'title', case $4::text when 'en' then k.title_en else k.title_fr end)
                    from procedure_kind k where k.id = p.kind_id),
                'service', (select json_build_object('code', s.code,
                    'name', case $4::text when 'en' then s.name_en else s.name_fr end)
                    from service s where s.id = p.service_id),
                'events', json_build_object('edges', (
                    select coalesce(json_agg(json_build_object('node', json_build_object('number', e.number,
                        'toStatus', e.to_status, 'occurredAt', e.occurred_at))), '[]')
                    from (select * from procedure_event where family_id = p.family_id and procedure_id = p.id
                        and service_id = any($1::uuid[]) order by id limit 5) e))) as node
        from (select p.* from unnest($1::uuid[]) v(id) cross join unnest($2::text[]) u(status) cross join lateral (
                select * from procedure where service_id = v.id and status = u.status
                order by id desc limit $3::bigint + 1) p
            order by p.id desc limit $3::bigint + 1) p) p))::text, 'UTF8')
"""
"""$1 services, $2 statuses, $3 how many, $4 language.

The newest of each service and status by the index, then the newest of those: it reads no more than it needs.
"""

CATALOGUE = f"""
select convert_to(json_build_object('procedureKinds', json_build_object('edges', (
    select coalesce(json_agg(json_build_object('node', json_build_object('id', {KIND}, 'code', k.code,
        'version', k.version, 'title', case $1::text when 'en' then k.title_en else k.title_fr end,
        'summary', case $1::text when 'en' then k.summary_en else k.summary_fr end, 'form', k.form,
        'decisionMonths', k.decision_months, 'silenceMeans', k.silence_means,
        'service', json_build_object('code', s.code, 'name', case $1::text when 'en' then s.name_en else s.name_fr end,
            'phone', s.phone, 'email', s.email,
            'hours', case $1::text when 'en' then s.hours_en else s.hours_fr end)))), '[]')
    from (select * from procedure_kind where superseded_at is null order by id limit 25) k
    join service s on s.id = k.service_id)))::text, 'UTF8')
"""
"""$1 language."""
