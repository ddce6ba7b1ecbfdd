-- Documents that families upload, and which procedures they were filed with (R2). The bytes lie in the storage, sealed.

create table document (
    family_id uuid not null references family,
    id uuid not null,
    name text not null check (length(name) <= 120),
    media_type text not null check (media_type in
        ('application/pdf', 'image/jpeg', 'image/png', 'image/heic', 'image/webp', 'text/plain')),
    size integer not null check (size > 0),
    sha256 bytea check (length(sha256) = 32),
    expires_on date not null,
    uploaded_by uuid not null,
    created_at timestamptz not null,
    scanned_at timestamptz,
    erased_at timestamptz,
    file_erased_at timestamptz,
    primary key (family_id, id),
    foreign key (family_id, uploaded_by) references account,
    check ((sha256 is null) = (erased_at is not null)),
    check (erased_at is null or name = ''),
    check (file_erased_at is null or erased_at is not null)
);
create index document_waiting on document (created_at) where erased_at is null;
create index document_of_uploader on document (family_id, uploaded_by);
create index document_file_to_erase on document (erased_at) where erased_at is not null and file_erased_at is null;
comment on table document is 'A file of a family; its key in the storage is made of family_id and id. The row is written when the file is safe.';
comment on column document.size is 'Bytes, as uploaded.';
comment on column document.sha256 is 'Of the bytes as uploaded.';
comment on column document.expires_on is 'The last day on which it may be filed.';
comment on column document.scanned_at is 'When the virus scanner found nothing in it; null where there is no scanner.';
comment on column document.erased_at is 'When it was erased; what procedures it was filed with stays known.';
comment on column document.file_erased_at is 'When its bytes were gone from the storage.';

create table procedure_document (
    family_id uuid not null,
    procedure_id uuid not null,
    field text not null check (field ~ '^[A-Za-z][A-Za-z0-9_.-]{0,59}$'),
    document_id uuid not null,
    id uuid not null,
    service_id uuid not null references service,
    attached_at timestamptz not null,
    primary key (family_id, procedure_id, field, document_id),
    unique (family_id, id),
    foreign key (family_id, procedure_id) references procedure,
    foreign key (family_id, document_id) references document
);
create index procedure_document_of_document on procedure_document (family_id, document_id);
comment on table procedure_document is 'What was filed with a procedure, under which field of its form; lasting once the procedure is submitted.';

alter table document enable row level security;
alter table document force row level security;
alter table procedure_document enable row level security;
alter table procedure_document force row level security;

create policy own on document to kiosque_api
    using (family_id = (select viewer_family()) or (select viewer_is_system()));
create policy own on procedure_document to kiosque_api
    using (family_id = (select viewer_family()) or (select viewer_is_system()));
-- Agents read what was filed with their services, once the family has submitted it.
create policy filed on procedure_document for select to kiosque_api
    using (service_id = any ((select viewer_services())::uuid[]) and exists (
        select from procedure p where p.family_id = procedure_document.family_id
            and p.id = procedure_document.procedure_id and p.submitted_at is not null));
create policy filed on document for select to kiosque_api
    using ((select viewer_services()) is not null and exists (
        select from procedure_document l where l.family_id = document.family_id and l.document_id = document.id));
-- What was submitted stays as it was filed.
create policy only_from_drafts on procedure_document as restrictive for delete to kiosque_api
    using ((select viewer_is_system()) or exists (
        select from procedure p where p.family_id = procedure_document.family_id
            and p.id = procedure_document.procedure_id and p.submitted_at is null));

grant select, insert, update (name, sha256, erased_at, file_erased_at) on document to kiosque_api;
grant select, insert, delete on procedure_document to kiosque_api;

alter table data_choice drop constraint data_choice_datum_check;
alter table data_choice add constraint data_choice_datum_check
    check (datum in ('ANSWERS', 'SCHOOL', 'CONTACTS', 'QUOTIENT_FAMILIAL', 'DOCUMENTS')) not valid;
alter table data_choice validate constraint data_choice_datum_check;
