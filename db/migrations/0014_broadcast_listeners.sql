-- Who has left is told nothing more: the dispatcher must see which logins are gone.

grant select (removed_at) on account to kiosque_dispatch;
