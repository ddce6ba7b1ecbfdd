-- Agents write down where letters to a family go, and no address of any other kind.

create policy agents_write_post on address for insert to kiosque_api
    with check (channel = 'POST' and (select viewer_services()) is not null);
create policy agents_change_post on address for update to kiosque_api
    using (channel = 'POST' and (select viewer_services()) is not null);
