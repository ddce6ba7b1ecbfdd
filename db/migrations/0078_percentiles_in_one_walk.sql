-- The classes of a group are walked once: as SQL, each percentile took 0.17 ms, and a page of statistics asks for 200.

create or replace function delay_at(classes bigint[], share double precision) returns double precision
language plpgsql immutable strict parallel safe as $$
declare
    n bigint;
    total bigint := 0;
    up_to bigint := 0;
    class integer := 0;
begin
    foreach n in array classes loop
        total := total + coalesce(n, 0);
    end loop;
    if total = 0 then
        return null;
    end if;
    foreach n in array classes loop
        up_to := up_to + coalesce(n, 0);
        class := class + 1;
        exit when up_to >= total * share;
    end loop;
    return 1.1::float8 ^ (class - 1) - 1;
end $$;
