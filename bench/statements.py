"""One hand-written statement for each of the reads: what somebody who knows SQL would write, without policies.

Each gives the very JSON of the portal's answer, so that answers can be compared.
"""


def _id(tag: int, row: str, *columns: str) -> str:
    """Give the expression of a global id."""
    parts = " || ".join(f"uuid_send({row}.{column})" for column in columns)
    return f"encode('\\x{tag:02x}'::bytea || {parts}, 'base64')"


def _cursor(name: str, *values: str) -> str:
    """Give the expression of a cursor over columns."""
    texts = ", ".join(f"{value}::text" for value in values)
    return f"translate(encode(convert_to(json_build_array('{name}', {texts})::text, 'UTF8'), 'base64'), E'\\n', '')"


def _money(cents: str, language: str) -> str:
    """Give the expression of an amount."""
    return f"json_build_object('cents', {cents}, 'formatted', formatted_money({cents}, {language}::text))"


FAMILY = _id(6, "f", "id")
MEMBER = _id(3, "m", "family_id", "id")
KIND = _id(7, "k", "id")
INVOICE = _id(40, "i", "family_id", "id")
PROCEDURE = _id(9, "p", "family_id", "id")

IMPLIED = """case when p.clock_paused_at is null then p.implied_decision_on else (
    select implied_after_answer(p.implied_decision_on, k.silence_means, k.decision_months,
        (p.clock_paused_at at time zone 'Europe/Paris')::date, (now() at time zone 'Europe/Paris')::date)
    from procedure_kind k where k.id = p.kind_id) end"""

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
                        'submittedAt', p.submitted_at, 'impliedDecisionOn', {IMPLIED},
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
            from (select * from news where family_id = $1::uuid order by seq desc limit 12) w)),
        'balance', (select {_money("b.cents", "$3")} from (select (
            (select coalesce(sum(total_cents), 0) from invoice where family_id = $1::uuid and cancelled_at is null)
            - (select coalesce(sum(cents), 0) from payment where family_id = $1::uuid and undone_at is null)
            + (select coalesce(sum(cents), 0) from refund where family_id = $1::uuid))::integer as cents
            offset 0) b),
        'invoices', json_build_object('edges', (
            select coalesce(json_agg(json_build_object('node', json_build_object('id', {INVOICE},
                'number', i.number, 'period', i.period,
                'status', invoice_status(i.total_cents, s.cents, i.cancelled_at, i.due_on,
                    (now() at time zone 'Europe/Paris')::date),
                'dueOn', i.due_on, 'total', {_money("i.total_cents", "$3")},
                'lines', json_build_object('edges', l.edges)))), '[]')
            from (select * from invoice where family_id = $1::uuid order by id desc limit 12) i
            cross join lateral (
                select coalesce(sum(a.cents), 0) as cents from allocation a
                where a.family_id = $1::uuid and a.invoice_id = i.id and a.freed_at is null) s
            cross join lateral (
                select coalesce(json_agg(json_build_object('node', json_build_object(
                    'label', case $3::text when 'en' then l.label_en else l.label_fr end, 'quantity', l.quantity,
                    'unitPrice', {_money("l.unit_cents", "$3")}, 'amount', {_money("l.cents", "$3")}))), '[]') as edges
                from (select * from invoice_line where family_id = $1::uuid and invoice_id = i.id
                    order by position limit 10) l) l)))
    from family f where f.id = $1::uuid)))::text, 'UTF8')
"""
"""$1 family, $2 how many procedures, $3 language."""

PROCEDURES = f"""
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

DEADLINE = """case when clock_paused_at is null and implied_decision_on is not null
    then implied_decision_on else '9999-12-31'::date end"""

WORK = f"""
select convert_to(json_build_object('workList', (
    select json_build_object(
        'edges', coalesce(json_agg(json_build_object('cursor', p.cursor, 'node', p.node))
            filter (where p.n <= $2), '[]'),
        'pageInfo', json_build_object('hasNextPage', count(*) > $2,
            'endCursor', (array_agg(p.cursor) filter (where p.n <= $2))[least(count(*), $2)]))
    from (
        select row_number() over () as n, {_cursor("Procedure/deadline", "p.deadline", "p.id")} as cursor,
            json_build_object('id', {PROCEDURE}, 'reference', p.reference, 'status', p.status,
                'submittedAt', p.submitted_at, 'impliedDecisionOn', {IMPLIED}, 'familyNumber', f.number,
                'familyName', f.name,
                'unreadMessages', (select count(*) from procedure_message
                    where family_id = p.family_id and procedure_id = p.id and author = 'FAMILY' and read_at is null),
                'kind', (select json_build_object('code', k.code,
                    'title', case $3::text when 'en' then k.title_en else k.title_fr end)
                    from procedure_kind k where k.id = p.kind_id),
                'service', (select json_build_object('code', s.code,
                    'name', case $3::text when 'en' then s.name_en else s.name_fr end)
                    from service s where s.id = p.service_id),
                'member', (select json_build_object('id', {MEMBER}, 'firstName', m.first_name, 'lastName', m.last_name)
                    from member m where m.family_id = p.family_id and m.id = p.member_id),
                'assignee', (select json_build_object('id', {_id(81, "g", "id")}, 'name', g.name)
                    from agent g where g.id = p.assigned_agent_id and g.services && $1::uuid[]
                        and 'AGENT' = any(g.roles) and g.disabled_at is null)) as node
        from (select p.* from unnest($1::uuid[]) v(id) cross join lateral (
                select *, {DEADLINE} as deadline from procedure
                where service_id = v.id and status in ('SUBMITTED', 'IN_REVIEW', 'AWAITING_FAMILY')
                order by {DEADLINE}, id limit $2::bigint + 1) p
            order by p.deadline, p.id limit $2::bigint + 1) p
        join family f on f.id = p.family_id) p))::text, 'UTF8')
"""
"""$1 services, $2 how many, $3 language."""

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

PAGE = f"""
select convert_to(json_build_object('page', (
    select json_build_object('id', {_id(26, "v", "page_id")}, 'slug', v.slug,
        'title', case $4::text when 'en' then v.title_en else v.title_fr end,
        'summary', case $4::text when 'en' then v.summary_en else v.summary_fr end,
        'html', case $4::text when 'en' then v.html_en else v.html_fr end,
        'publishedAt', coalesce(v.visible_from, v.created_at),
        'category', json_build_object('code', c.code,
            'title', case $4::text when 'en' then c.title_en else c.title_fr end),
        'places', json_build_object('edges', (
            select coalesce(json_agg(json_build_object('node', json_build_object('id', {_id(29, "p", "id")},
                'code', p.code, 'name', case $4::text when 'en' then p.name_en else p.name_fr end,
                'address', p.address, 'access', case $4::text when 'en' then p.access_en else p.access_fr end,
                'phone', p.phone,
                'isOpen', coalesce((select s.closes_at > now() from opening_span s
                    where s.place_id = p.id and s.opens_at <= now() order by s.opens_at desc limit 1), false),
                'nextOpening', (select min(s.opens_at) from opening_span s
                    where s.place_id = p.id and s.opens_at > now()),
                'hours', json_build_object('edges', (
                    select coalesce(json_agg(json_build_object('node', json_build_object(
                        'opensAt', s.opens_at, 'closesAt', s.closes_at))), '[]')
                    from (select * from opening_span where place_id = p.id and closes_at > $2 and opens_at < $3
                        order by opens_at limit 10) s))))), '[]')
            from (select p.* from page_place l join place p on p.id = l.place_id
                where l.page_id = v.page_id and p.archived_at is null order by p.id limit 20) p)),
        'kinds', json_build_object('edges', (
            select coalesce(json_agg(json_build_object('node', json_build_object('id', {KIND}, 'code', k.code,
                'title', case $4::text when 'en' then k.title_en else k.title_fr end,
                'summary', case $4::text when 'en' then k.summary_en else k.summary_fr end))), '[]')
            from (select * from procedure_kind where superseded_at is null
                    and code in (select kind_code from page_kind where page_id = v.page_id)
                order by id limit 20) k)))
    from page g join page_version v on v.page_id = g.id join page_category c on c.id = v.category_id
    where g.slug = $1 and v.visible_from <= now()
        and (v.visible_until is null or v.visible_until > now())))::text, 'UTF8')
"""
"""$1 slug, $2 begin and $3 end of today, $4 language."""

SEARCH = f"""
with asked as materialized (select page_query($1::text) as words)
select convert_to(json_build_object('pages', json_build_object('edges', (
    select coalesce(json_agg(json_build_object('node', json_build_object('id', {_id(26, "v", "page_id")},
        'slug', v.slug, 'title', case $2::text when 'en' then v.title_en else v.title_fr end,
        'summary', case $2::text when 'en' then v.summary_en else v.summary_fr end,
        'highlight', ts_headline(case $2::text when 'en' then 'english'::regconfig else 'french'::regconfig end,
            replace(replace(replace(case $2::text when 'en' then v.plain_en else v.plain_fr end,
                '&', '&amp;'), '<', '&lt;'), '>', '&gt;'), v.words,
            'StartSel=<mark>, StopSel=</mark>, MaxFragments=2, MaxWords=25, MinWords=10, FragmentDelimiter=" … "')))),
        '[]')
    from (select v.*, a.words from asked a join page_version v on v.search @@ a.words
        where v.visible_from <= now() and (v.visible_until is null or v.visible_until > now())
        order by (ts_rank(v.head, a.words) * 1000000)::bigint desc, v.page_id desc limit 10) v)))::text, 'UTF8')
"""
"""$1 words, $2 language."""
