-- Sessions that are over are found by when they ended, whatever ended them: see db/sessions.py.

create index session_by_end on session (least(expires_at, ended_at, idle_ends_at));
