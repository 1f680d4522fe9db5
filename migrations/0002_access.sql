-- Who may call, what was refused or privileged, and answers kept for repeated requests.

-- Bearer tokens. Only the SHA-256 of the token is kept. `scopes` is a JSON array; `store` limits the token to a store and those below it.
create table api_token (
    id         text    primary key,
    hash       blob    not null unique check (length(hash) = 32),
    name       text    not null check (name <> ''),
    scopes     text    not null check (json_valid(scopes)),
    store      text    not null default '/' check (store like '/%'),
    created_at integer not null,
    expires_at integer,
    revoked_at integer
) strict;

-- Refused and privileged calls. Equal refusals within one minute share a row: a flood must not grow the table.
create table audit (
    id      text    primary key,
    minute  integer not null,
    time    integer not null,
    actor   text    not null,
    action  text    not null,
    target  text    not null,
    outcome text    not null check (outcome in ('done', 'refused')),
    reason  text    not null default '',
    count   integer not null default 1 check (count > 0),
    trace   text
) strict;

create index audit_by_time on audit (time, id);
create unique index audit_refusal on audit (minute, actor, action, target, reason) where outcome = 'refused';

-- Answers to POSTs with an Idempotency-Key, kept for 24 hours, written with the effect that they report.
create table idempotency (
    actor       text    not null,
    key         text    not null,
    fingerprint blob    not null,
    status      integer not null,
    body        text    not null,
    created_at  integer not null,
    primary key (actor, key)
) strict, without rowid;

create index idempotency_by_time on idempotency (created_at);

-- Counts of what leaves no other trace, such as forged webhooks, by day (UTC).
create table counter (
    name  text    not null,
    day   integer not null,
    value integer not null check (value > 0),
    primary key (name, day)
) strict, without rowid;
