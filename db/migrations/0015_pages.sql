-- Information pages, the places they speak of, and when these are open.

create extension if not exists pg_trgm;
create extension if not exists btree_gist;

-- Functions are nobody's unless granted (0001); those of a search are everybody's.
do $$
declare called regprocedure;
begin
    for called in
        select d.objid::regprocedure from pg_depend d join pg_extension e on e.oid = d.refobjid
        where d.classid = 'pg_proc'::regclass and d.deptype = 'e' and e.extname = 'pg_trgm'
    loop
        execute format('grant execute on function %s to kiosque_api', called);
    end loop;
end $$;

create table place (
    id uuid primary key,
    code text not null unique check (code ~ '^[a-z][a-z0-9-]{1,59}$'),
    name_fr text not null check (length(name_fr) between 1 and 200),
    name_en text not null check (length(name_en) between 1 and 200),
    address text not null check (length(address) between 1 and 500),
    latitude double precision not null check (latitude between -90 and 90),
    longitude double precision not null check (longitude between -180 and 180),
    access_fr text not null default '',
    access_en text not null default '',
    accessibility text[] not null default '{}'
        check (accessibility <@ array['WHEELCHAIR', 'HEARING_LOOP', 'BRAILLE', 'SIGN_LANGUAGE', 'PARKING']),
    phone text not null default '',
    email text not null default '',
    open_on_public_holidays boolean not null default false,
    created_at timestamptz not null,
    archived_at timestamptz
);
comment on table place is 'Where something is: a town hall, a school, a pool.';

create table opening_rule (
    id uuid primary key,
    place_id uuid not null references place,
    weekday smallint not null check (weekday between 1 and 7),
    opens time not null,
    closes time not null check (closes > opens),
    season text not null default 'ALWAYS' check (season in ('ALWAYS', 'TERM', 'HOLIDAYS')),
    valid_from date,
    valid_until date check (valid_until >= valid_from)
);
create index opening_rule_of_place on opening_rule (place_id, weekday, opens, id);
comment on table opening_rule is 'Weekly hours, by the clocks of the city; ISO weekdays, Monday is 1. 24:00 is midnight.';
comment on column opening_rule.season is 'In school time only, in school holidays only, or always.';

create table exceptional_day (
    id uuid primary key,
    place_id uuid not null references place,
    first_day date not null,
    last_day date not null check (last_day >= first_day and last_day - first_day <= 366),
    opens time,
    closes time,
    reason_fr text not null check (length(reason_fr) between 1 and 300),
    reason_en text not null check (length(reason_en) between 1 and 300),
    check ((opens is null) = (closes is null) and (closes is null or closes > opens))
);
create index exceptional_day_of_place on exceptional_day (place_id, last_day, id);
comment on table exceptional_day is 'Days on which other hours hold than the weekly ones; no hours: closed.';

create table opening_span (
    id uuid not null generated always as (md5(place_id::text || '/' || extract(epoch from opens_at at time zone 'UTC')::bigint)::uuid) stored,
    place_id uuid not null references place,
    opens_at timestamptz not null,
    closes_at timestamptz not null check (closes_at > opens_at),
    primary key (place_id, opens_at)
);
create unique index opening_span_id on opening_span (id);
comment on table opening_span is 'When a place is open, worked out from its rules for the months around today; read by "open now?".';

create table page_category (
    id uuid primary key,
    code text not null unique check (code ~ '^[a-z][a-z0-9-]{1,59}$'),
    parent_id uuid references page_category,
    title_fr text not null check (length(title_fr) between 1 and 200),
    title_en text not null check (length(title_en) between 1 and 200),
    position integer not null default 0
);
create index page_category_below on page_category (parent_id, position, id);

create table page (
    id uuid primary key,
    slug text not null unique check (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' and length(slug) <= 100),
    category_id uuid not null references page_category,
    created_at timestamptz not null,
    archived_at timestamptz
);

create table page_version (
    id uuid primary key,
    page_id uuid not null references page,
    number integer not null check (number > 0),
    category_id uuid not null references page_category,
    slug text not null,
    title_fr text not null check (length(title_fr) between 1 and 200),
    title_en text not null check (length(title_en) between 1 and 200),
    summary_fr text not null check (length(summary_fr) <= 500),
    summary_en text not null check (length(summary_en) <= 500),
    body_fr text not null check (length(body_fr) <= 100000),
    body_en text not null check (length(body_en) <= 100000),
    html_fr text not null,
    html_en text not null,
    plain_fr text not null,
    plain_en text not null,
    visible_from timestamptz,
    visible_until timestamptz check (visible_until > visible_from),
    edited_by uuid not null references agent,
    created_at timestamptz not null,
    head tsvector not null generated always as (
        setweight(to_tsvector('french', translate(title_fr, '’ʼ''', '   ')), 'A') || setweight(to_tsvector('english', translate(title_en, '’ʼ''', '   ')), 'A')
        || setweight(to_tsvector('french', translate(summary_fr, '’ʼ''', '   ')), 'B') || setweight(to_tsvector('english', translate(summary_en, '’ʼ''', '   ')), 'B')) stored,
    search tsvector not null generated always as (
        setweight(to_tsvector('french', translate(title_fr, '’ʼ''', '   ')), 'A') || setweight(to_tsvector('english', translate(title_en, '’ʼ''', '   ')), 'A')
        || setweight(to_tsvector('french', translate(summary_fr, '’ʼ''', '   ')), 'B') || setweight(to_tsvector('english', translate(summary_en, '’ʼ''', '   ')), 'B')
        || setweight(to_tsvector('french', translate(plain_fr, '’ʼ''', '   ')), 'C') || setweight(to_tsvector('english', translate(plain_en, '’ʼ''', '   ')), 'C')) stored,
    unique (page_id, number),
    -- At any moment at most one version of a page is in force, also when the next one is already scheduled.
    exclude using gist (page_id with =, tstzrange(visible_from, visible_until) with &&) where (visible_from is not null)
);
create index page_version_search on page_version using gin (search);
create index page_version_of_category on page_version (category_id) where visible_from is not null;
comment on table page_version is 'Every text a page ever had; the public sees the one whose time it is.';
comment on column page_version.head is 'Title and summary alone: a match there ranks first, and so small a vector is ranked fast.';
comment on column page_version.html_fr is 'Made from body_fr when it was saved, and sanitised.';

-- Every word that a published page ever used: without its accents or with a slip it still finds the word that was meant,
-- and that is stemmed as French spells it.
create table page_word (
    word text primary key,
    plain text not null generated always as (btrim(folded(word))) stored
);
create index page_word_similar on page_word using gin (plain gin_trgm_ops);

create function page_query(words text) returns tsquery language sql stable parallel safe
    set pg_trgm.similarity_threshold = 0.45 as $$
    with given as (
        select g.plain, g.n from unnest(string_to_array(btrim(left(folded(words), 200)), ' ')) with ordinality g(plain, n)
        where g.plain ~ '^[[:alnum:]]+$'
    ), meant as (
        select g.n, coalesce(
            (select string_agg(k.word, ' | ') from (
                select k.word from page_word k where k.plain % g.plain and similarity(k.plain, g.plain) >= 0.65
                order by similarity(k.plain, g.plain) desc, k.word limit 6) k),
            (select k.word from page_word k where k.plain % g.plain order by similarity(k.plain, g.plain) desc, k.word limit 1),
            g.plain) as spellings
        from given g
    ), query as (
        select coalesce(string_agg('(' || spellings || ')', ' & ' order by n), '') as words from meant
    )
    select to_tsquery('french', words) || to_tsquery('english', words) from query
$$;
comment on function page_query(text) is 'What a search means: for each word the words of pages that are spelled almost alike, so that accents and endings do not matter; else the most similar one.';
grant execute on function page_query(text) to kiosque_api;
grant select, insert on page_word to kiosque_api;

create table page_place (
    page_id uuid not null references page,
    place_id uuid not null references place,
    position integer not null default 0,
    primary key (page_id, place_id)
);
create index page_place_of_place on page_place (place_id);

create table page_kind (
    page_id uuid not null references page,
    kind_code text not null,
    phase text not null check (phase in ('BEFORE', 'AFTER')),
    position integer not null default 0,
    primary key (page_id, kind_code, phase)
);
create index page_kind_of_kind on page_kind (kind_code, phase, position);
comment on table page_kind is 'What to read before and after a procedure of a kind (R14).';

grant select, insert, update on place, page, page_version, page_category to kiosque_api;
grant select, insert, delete on opening_rule, exceptional_day, opening_span, page_place, page_kind to kiosque_api;
