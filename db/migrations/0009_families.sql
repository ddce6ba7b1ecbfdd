-- Families whole: identifiers, changes of members, dated quotients, several logins, children that two families share.

-- Names as one searches them: without accents, capitals and punctuation, each word after a blank. `unaccent` is not on
-- every server, and it is not immutable.
create function folded(words text) returns text language sql immutable strict parallel safe
    return ' ' || btrim(regexp_replace(
        translate(
            replace(replace(lower(regexp_replace(normalize(words, NFKD), '[\u0300-\u036f]', '', 'g')), 'œ', 'oe'), 'æ', 'ae'),
            $$!"#$%&'()*+,-./:;<=>?@[\]^_`{|}~’‘ʼ«»“”‐‑–—·$$,
            repeat(' ', 44)),
        '\s+', ' ', 'g'));
comment on function folded(text) is 'A text as it is searched: a blank before each word, no accents, capitals or punctuation.';
grant execute on function folded(text) to kiosque_api;

alter table family
    add column siret text check (siret ~ '^[0-9]{14}$'),
    add column rna text check (rna ~ '^W[0-9][0-9A-Z][0-9]{7}$'),
    add column registry_number text check (registry_number ~ '^([0-9]{1,4}/[0-9]{1,4}|[0-9]{9})$'),
    add column search text not null generated always as (folded(name)) stored,
    add constraint family_identifier_check check (
        siret is null and rna is null and registry_number is null or profile = 'ASSOCIATION'
        or profile = 'PROFESSIONAL' and rna is null and registry_number is null);
comment on column family.siret is 'Of a professional, or of an association that has one (R6). The portal asks for it; the city''s register may lack it.';
comment on column family.rna is 'National register of associations (R6).';
comment on column family.registry_number is 'Volume/folio of the register of associations in Alsace-Moselle, or a SIREN.';

-- The same child in two families has the same child_id; each side is a row of its own family and sees only that.
alter table member add column ended_at timestamptz, add column child_id uuid;
create unique index member_of_child on member (child_id, family_id) where child_id is not null;
comment on column member.ended_at is 'When it left the family; it stays because procedures or invoices name it.';
comment on column member.child_id is 'Child that another family has too (R11); null for all others. Never shown.';
grant delete on member to kiosque_api;

create table member_change (
    family_id uuid not null,
    id uuid not null,
    member_id uuid not null,
    first_name text not null check (length(first_name) between 1 and 100),
    last_name text not null check (length(last_name) between 1 and 100),
    birth_date date,
    proposed_by uuid not null,
    proposed_at timestamptz not null,
    decided_by uuid references agent,
    decided_at timestamptz,
    accepted boolean,
    primary key (family_id, id),
    foreign key (family_id, member_id) references member,
    foreign key (family_id, proposed_by) references account,
    check ((decided_at is null) = (accepted is null))
);
create unique index member_change_open on member_change (family_id, member_id) where decided_at is null;
create index member_change_waiting on member_change (id) where decided_at is null;
comment on table member_change is 'What a family says of a child that another family has too: an agent decides, because it changes both.';

create table quotient_familial (
    family_id uuid not null references family,
    id uuid not null,
    sealed_value bytea not null,
    valid_from date not null,
    valid_until date check (valid_until >= valid_from),
    source text not null check (source in ('CAF', 'MSA', 'TAX_NOTICE', 'OTHER')),
    recorded_by uuid not null references agent,
    recorded_at timestamptz not null,
    primary key (family_id, id)
);
create index quotient_familial_by_day on quotient_familial (family_id, valid_from desc, id desc);
comment on table quotient_familial is 'Dated income index; never changed: what is recorded later for the same day wins.';
comment on column quotient_familial.sealed_value is 'The value, encrypted with a key of the settings that is derived for this family.';

alter table account
    add column member_id uuid,
    add column removed_at timestamptz,
    add foreign key (family_id, member_id) references member;
comment on column account.member_id is 'The adult whose login it is, where it was said at the invitation.';
comment on column account.removed_at is 'When another login of the family removed it; its address and password are erased then.';

create table invitation (
    family_id uuid not null references family,
    id uuid not null,
    email text not null check (email = lower(email) and length(email) <= 254),
    member_id uuid,
    invited_by uuid not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    accepted_at timestamptz,
    revoked_at timestamptz,
    primary key (family_id, id),
    foreign key (family_id, member_id) references member,
    foreign key (family_id, invited_by) references account
);
create unique index invitation_open on invitation (family_id, email) where accepted_at is null and revoked_at is null;
comment on table invitation is 'An adult invited by e-mail to have a login of its own (R11); the link names this row.';

alter table address add column source text not null default 'FAMILY' check (source in ('FAMILY', 'CITY'));
comment on column address.source is 'Who gave it: the family, or the city''s register, which nobody has verified.';
grant delete on address to kiosque_api;

do $$
declare owned text;
begin
    foreach owned in array array['member_change', 'quotient_familial', 'invitation'] loop
        execute format('alter table %I enable row level security', owned);
        execute format('alter table %I force row level security', owned);
    end loop;
end $$;
create policy seen on member_change to kiosque_api using (family_id = (select viewer_family())
    or (select viewer_services()) is not null or (select viewer_is_system()));
create policy seen on quotient_familial for select to kiosque_api using (family_id = (select viewer_family())
    or (select viewer_services()) is not null or (select viewer_is_system()));
create policy agents_record on quotient_familial for insert to kiosque_api
    with check ((select viewer_services()) is not null or (select viewer_is_system()));
create policy seen on invitation to kiosque_api
    using (family_id = (select viewer_family()) or (select viewer_is_system()));

-- An agent who serves a family at the counter tells it so: of its news it sees what its own transaction wrote.
create policy agents_confirm on news to kiosque_api
    using ((select viewer_services()) is not null and xid = pg_current_xact_id_if_assigned());

grant select, insert, update on member_change, invitation to kiosque_api;
grant select, insert on quotient_familial to kiosque_api;
