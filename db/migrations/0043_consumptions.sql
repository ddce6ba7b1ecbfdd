-- Consumptions: what members used on which day (R29), and every correction of it.

alter table tariff add column cesu text not null default 'NEVER' check (cesu in ('NEVER', 'UNDER_6', 'ALWAYS'));
comment on column tariff.cesu is 'Whether CESU pay for it: never (canteen), for children under 6 on the day (leisure centre), or always (code du travail L1271-1).';

create table consumption (
    family_id uuid not null references family,
    day date not null check (day >= '2000-01-01'),
    member_id uuid not null,
    tariff_id uuid not null references tariff,
    id uuid not null,
    service_id uuid not null references service,
    quantity integer not null check (quantity between 0 and 1000),
    source text not null check (source in ('IMPORT', 'AGENT')),
    recorded_at timestamptz not null,
    changed_at timestamptz not null,
    primary key (family_id, day, member_id, tariff_id),
    unique (family_id, id),
    foreign key (family_id, member_id) references member
);
comment on table consumption is 'What a member used on a day, as it is known now; what it was before is in consumption_change.';
comment on column consumption.quantity is 'Units of the tariff; 0 for what was recorded and proved wrong.';
comment on column consumption.source is 'Who said it last: an agent''s word is not overwritten by a later import.';

create table consumption_change (
    family_id uuid not null,
    consumption_id uuid not null,
    id uuid not null,
    service_id uuid not null references service,
    from_quantity integer not null,
    to_quantity integer not null,
    source text not null check (source in ('IMPORT', 'AGENT')),
    agent_id uuid references agent,
    reason text check (length(reason) between 1 and 500),
    changed_at timestamptz not null,
    primary key (family_id, consumption_id, id),
    foreign key (family_id, consumption_id) references consumption (family_id, id),
    check ((source = 'AGENT') = (agent_id is not null and reason is not null))
);
comment on table consumption_change is 'Corrections of consumptions, by whom and why; never changed.';

do $$
declare owned text;
begin
    foreach owned in array array['consumption', 'consumption_change'] loop
        execute format('alter table %I enable row level security', owned);
        execute format('alter table %I force row level security', owned);
        execute format('create policy seen on %I to kiosque_api using (family_id = (select viewer_family())
            or service_id = any ((select viewer_services())::uuid[]) or (select viewer_is_cashier())
            or (select viewer_is_system()))', owned);
    end loop;
end $$;
grant select, insert, update on consumption to kiosque_api;
grant select, insert on consumption_change to kiosque_api;
