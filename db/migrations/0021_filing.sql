-- Documents and the life of procedures: what an agent asks for has a field of its own, and messages carry documents,
-- also those that an agent hands in. Names with a dot are the portal's own; no form and no kind can have them.

create view requested_document with (security_invoker = true) as
    select r.family_id, md5(r.id || '.' || d.position)::uuid as id, r.id as request_id, r.procedure_id, r.service_id, r.event_number,
        d.position::integer as position, 'asked.' || r.event_number || '.' || d.position as field, d.label
    from information_request r cross join lateral unnest(r.documents) with ordinality d(label, position);
comment on view requested_document is 'Each document of an information request, and the field that it is filed under; sees what its reader sees.';
grant select on requested_document to kiosque_api;

alter table document
    alter column uploaded_by drop not null,
    add column agent_id uuid references agent,
    add column procedure_id uuid,
    add column sent_at timestamptz,
    add constraint document_of_procedure foreign key (family_id, procedure_id) references procedure not valid,
    add constraint document_from_one check (num_nonnulls(uploaded_by, agent_id) = 1) not valid,
    add constraint document_for_procedure check ((agent_id is null) = (procedure_id is null)) not valid,
    add constraint document_sent check (sent_at is null or agent_id is not null) not valid;
alter table document validate constraint document_of_procedure;
alter table document validate constraint document_from_one;
alter table document validate constraint document_for_procedure;
alter table document validate constraint document_sent;
create index document_handed_in on document (family_id, procedure_id) where procedure_id is not null;
comment on column document.uploaded_by is 'The login that uploaded it; null where an agent did.';
comment on column document.agent_id is 'The agent who uploaded it for the family; null where a login did.';
comment on column document.procedure_id is 'The procedure that the agent uploaded it for.';
comment on column document.sent_at is 'When the agent sent it with a message; before that the family does not see it.';
comment on column procedure_document.field is 'Field of the form, code of the kind, asked.<event>.<position> of a request, or message.<number>.';

alter policy own on document to kiosque_api
    using (family_id = (select viewer_family()) and (agent_id is null or sent_at is not null)
        or (select viewer_is_system()));

-- What agents hand in is seen by those of the service; only the one who did sends it.
create function handled(family uuid, procedure uuid) returns boolean language sql stable parallel safe
    return exists (select from procedure p where p.family_id = family and p.id = procedure
        and p.submitted_at is not null and p.service_id = any (viewer_services()));
comment on function handled(uuid, uuid) is 'True for a submitted procedure of the services of the agent that looks.';
grant execute on function handled(uuid, uuid) to kiosque_api;

-- A function, because policies that look at each other's tables would never end.
create function handed_in(family uuid, procedure uuid, document uuid) returns boolean language sql stable parallel safe
    return exists (select from document d where d.family_id = family and d.id = document
        and d.procedure_id = procedure and d.agent_id = viewer_agent());
comment on function handed_in(uuid, uuid, uuid) is 'True for a document that the agent that looks uploaded for a procedure.';
grant execute on function handed_in(uuid, uuid, uuid) to kiosque_api;

create policy handed_in on document for select to kiosque_api
    using (agent_id is not null and (select viewer_services()) is not null and handled(family_id, procedure_id));
create policy hand_in on document for insert to kiosque_api
    with check (agent_id = (select viewer_agent()) and sent_at is null and handled(family_id, procedure_id));
create policy send on document for update to kiosque_api
    using (agent_id = (select viewer_agent()) and handled(family_id, procedure_id));
create policy send on procedure_document for insert to kiosque_api
    with check (field like 'message.%' and service_id = any ((select viewer_services())::uuid[])
        and handed_in(family_id, procedure_id, document_id));

grant update (sent_at) on document to kiosque_api;
