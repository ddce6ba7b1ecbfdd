-- Documents that clients registered, and the points that each subject has spent; neither is a family's.

create table registered_document (
    hash text not null check (hash ~ '^[0-9a-f]{64}$'),
    client text not null check (client ~ '^[a-z][a-z0-9_.-]{0,49}$'),
    document text not null,
    operations text[] not null,
    created_at timestamptz not null,
    retired_at timestamptz,
    primary key (hash, client),
    check (hash = encode(sha256(convert_to(document, 'UTF8')), 'hex'))
);
create index registered_document_of_client on registered_document (client, created_at);
comment on table registered_document is 'Documents of GraphQL that may be called by their SHA-256; the same text may be of several clients, and counts while one of them has not retired it.';

create function ring_documents() returns trigger language plpgsql as $$
begin
    perform pg_notify('kiosque_documents', '');
    return null;
end $$;
create trigger ring after insert or update or delete on registered_document
    for each statement execute function ring_documents();

-- Unlogged: what a crash of the server forgets is worth one burst, and nothing of it need reach a standby.
create unlogged table bucket (
    subject bytea primary key,
    tat timestamptz not null
) with (fillfactor = 70);
comment on table bucket is 'Points spent, by HMAC of the account or network address (GCRA).';
comment on column bucket.tat is 'When everything that was spent will have flowed back.';

grant select, insert, update (retired_at) on registered_document to kiosque_api;
grant select, insert, update, delete on bucket to kiosque_api;
