-- A family may end the e-mails of a topic by the link in any of them (RFC 8058), without signing in.

alter table channel_preference add column email_ended_at timestamptz;
comment on column channel_preference.email_ended_at is 'Since when news of this topic that nothing requires goes past e-mail; the order itself stays, for what is required.';
