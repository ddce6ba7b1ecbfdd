-- Tariffs: what a service costs, by quotient bracket and period.

create table tariff (
    id uuid primary key,
    code text not null unique check (code ~ '^[a-z][a-z0-9-]{1,59}$'),
    service_id uuid not null references service,
    label_fr text not null check (length(label_fr) between 1 and 200),
    label_en text not null check (length(label_en) between 1 and 200),
    unit_fr text not null check (length(unit_fr) <= 60),
    unit_en text not null check (length(unit_en) <= 60),
    position integer not null default 0,
    created_at timestamptz not null
);
create index tariff_of_service on tariff (service_id, position, id);
comment on table tariff is 'Something that has a price: a meal, a half-day.';
comment on column tariff.unit_fr is 'For what one price is, e.g. « le repas ».';

create table tariff_price (
    id uuid primary key,
    tariff_id uuid not null references tariff,
    quotient_from integer not null check (quotient_from >= 0),
    quotient_until integer check (quotient_until > quotient_from),
    cents integer not null check (cents >= 0),
    valid_from date not null,
    valid_until date check (valid_until >= valid_from),
    -- Never two prices for the same quotient on the same day.
    exclude using gist (tariff_id with =, int4range(quotient_from, quotient_until) with &&,
        daterange(valid_from, valid_until, '[]') with &&)
);
create index tariff_price_of_tariff on tariff_price (tariff_id, valid_from, quotient_from, id);
comment on table tariff_price is 'One price of a tariff, in cents: for quotients from `quotient_from` to below `quotient_until` (euros a month; null: without end).';
comment on column tariff_price.valid_until is 'The last day on which it holds; null while nobody knows of another.';

create function formatted_money(cents bigint, language text) returns text language sql immutable parallel safe return
    case language
        when 'en' then case when cents < 0 then '-' else '' end || '€' || to_char(abs(cents) / 100.0, 'FM999,999,999,999,990.00')
        else translate(to_char(cents / 100.0, 'FM999,999,999,999,990.00'), ',.', U&'\202F,') || U&'\00A0€'
    end;
comment on function formatted_money(bigint, text) is 'An amount as people write it: 1 234,50 € or €1,234.50.';
grant execute on function formatted_money(bigint, text) to kiosque_api;

create table page_tariff (
    page_id uuid not null references page,
    tariff_id uuid not null references tariff,
    position integer not null default 0,
    primary key (page_id, tariff_id)
);
create index page_tariff_of_tariff on page_tariff (tariff_id);

grant select, insert, update on tariff to kiosque_api;
grant select, insert, update, delete on tariff_price to kiosque_api;
grant select, insert, delete on page_tariff to kiosque_api;
