-- Only triggers write these; the check is what lets reads trust the word.

alter table procedure_count add constraint procedure_count_status_check check (status in
    ('DRAFT', 'SUBMITTED', 'IN_REVIEW', 'AWAITING_FAMILY', 'ACCEPTED', 'REJECTED', 'CLOSED', 'WITHDRAWN'));
alter table procedure_count_change add constraint procedure_count_change_status_check check (status in
    ('DRAFT', 'SUBMITTED', 'IN_REVIEW', 'AWAITING_FAMILY', 'ACCEPTED', 'REJECTED', 'CLOSED', 'WITHDRAWN'));
