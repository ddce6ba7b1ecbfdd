-- For whom a page is: what a family reads first follows from who belongs to it.

create table page_audience (
    page_id uuid not null references page,
    age_from smallint not null check (age_from between 0 and 120),
    age_until smallint not null check (age_until between 1 and 121),
    at_school boolean,
    primary key (page_id, age_from, age_until),
    check (age_until > age_from)
);
comment on table page_audience is 'Pages for families with a member of `age_from` to below `age_until` years; at school, not at school, or (null) either.';
grant select, insert, delete on page_audience to kiosque_api;
