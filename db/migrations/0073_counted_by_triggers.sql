-- Only the trigger notes that a count changed: nobody writes one by hand.

alter policy counted on procedure_count_change with check (pg_trigger_depth() > 0);
