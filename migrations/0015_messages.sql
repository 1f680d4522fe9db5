-- Messages to WeCom and Official Accounts: pauses of single operations, and how often contacts are written to. Written by functions/courier.
-- Times are Unix milliseconds UTC, days are the merchant's (2026-02-14).

-- An operation that the other side limits is left alone until `until`; `length` is how long that pause is, and doubles while it goes on.
create table api_pause (
    destination text    not null,
    operation   text    not null,
    until       integer not null,
    length      integer not null check (length > 0),
    primary key (destination, operation)
) strict, without rowid;

-- How many messages a contact may have at the most. `per_month` null: as many as the month has days. `per_week` (the last seven days)
-- and `per_day` null: no limit.
create table message_rule (
    one        integer primary key check (one = 1),
    per_month  integer check (per_month >= 0),
    per_week   integer check (per_week >= 0),
    per_day    integer check (per_day >= 0),
    changed_at integer
) strict;

insert into message_rule (one) values (1);

-- How many messages a contact (external_userid) was given on a day.
create table message_sent (
    contact text    not null,
    day     text    not null,
    count   integer not null check (count >= 0),
    primary key (contact, day)
) strict, without rowid;

-- What calls on their way have taken of the contacts' quota: kept when a call succeeds, given back when it fails for good.
create table message_claim (
    call    text not null references outbox (id),
    contact text not null,
    day     text not null,
    primary key (call, contact)
) strict, without rowid;
