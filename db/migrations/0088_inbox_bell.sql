-- What one device reads, the others show as read: a bell with the family's id; one a transaction, however much it marks.

create function ring_inbox() returns trigger language plpgsql as $$
begin
    perform pg_notify('kiosque_inbox', new.family_id::text);
    return null;
end $$;
create trigger ring_inbox after update of read_at on news for each row
    when (old.read_at is distinct from new.read_at) execute function ring_inbox();
