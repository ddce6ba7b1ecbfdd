-- What was put aside after repeated crashes is seen by administrators, who send it again.

create policy put_aside on delivery for select to kiosque_api
    using (status = 'DEAD_LETTER' and (select viewer_is_admin()));
create index delivery_put_aside on delivery (created_at desc, family_id, id) where status = 'DEAD_LETTER';
