-- Pages about paying: what a family reads first follows also from what it owes.

create table page_invoice (
    page_id uuid not null references page,
    moment text not null check (moment in ('DUE_SOON', 'OVERDUE')),
    primary key (page_id, moment)
);
comment on table page_invoice is 'Pages for families with an open invoice that is due within 14 days (DUE_SOON), or whose due date has passed (OVERDUE).';
grant select, insert, delete on page_invoice to kiosque_api;
