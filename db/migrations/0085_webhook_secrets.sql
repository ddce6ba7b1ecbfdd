-- A webhook's new secret beside the one of before, so that a receiver changes over without missing a message.

alter table webhook
    add column sealed_old_secret bytea,
    add column old_secret_until timestamptz,
    add constraint webhook_old_secret_ends check ((sealed_old_secret is null) = (old_secret_until is null));
comment on column webhook.sealed_old_secret is 'The secret before this one, which signs too until it ends; then it is forgotten.';
