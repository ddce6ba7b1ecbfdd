-- What a provider of text messages takes a second is shared by all dispatchers that are at work.

create table sms_sender (
    node uuid primary key,
    seen_at timestamptz not null
);
comment on table sms_sender is 'Dispatchers that send text messages, and when each was last at work: the rate of a provider is divided by their number.';
grant select, insert, update, delete on sms_sender to kiosque_dispatch;
