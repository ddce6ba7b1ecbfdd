-- Letters: deliveries by post wait for the command that prints them, not for a dispatcher.

create index delivery_by_post on delivery (created_at, family_id, id) where channel = 'POST' and status = 'PENDING';
