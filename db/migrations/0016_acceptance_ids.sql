-- An acceptance of the terms gets an id of its own, so that clients can keep it as they keep every other object.
alter table terms_acceptance add column id uuid not null default gen_random_uuid();
create unique index terms_acceptance_id on terms_acceptance (family_id, id);
