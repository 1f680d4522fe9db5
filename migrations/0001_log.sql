-- The event log and all that moves it: consumers and their cursors, dead letters, timers, the outbox.
-- Times are Unix milliseconds UTC. Written by crates/kit only.

-- What happened, in the order of commits. CloudEvents 1.0 attributes; `data` is JSON without personal data in clear.
create table event (
    seq     integer primary key autoincrement,
    id      text    not null unique,
    type    text    not null check (type <> ''),
    subject text    not null,
    source  text    not null,
    time    integer not null,
    data    text    not null check (json_valid(data)),
    trace   text
) strict;

create index event_by_type on event (type, seq);

-- One row a function that consumes. `seq` is the last event applied; `attempts` counts the tries at the one after it.
create table consumer (
    name     text    primary key,
    seq      integer not null default 0,
    follows  text    references consumer (name),
    attempts integer not null default 0,
    error    text
) strict;

-- Events that a consumer could not apply. The log has moved on; an operator replays them.
create table dead_letter (
    id          text    primary key,
    consumer    text    not null references consumer (name),
    seq         integer not null references event (seq),
    error       text    not null,
    attempts    integer not null,
    failed_at   integer not null,
    replayed_at integer,
    unique (consumer, seq)
) strict;

-- Events to come. The tick moves due rows into the log; a key is due once.
create table timer (
    key     text    primary key,
    due     integer not null,
    type    text    not null,
    subject text    not null,
    source  text    not null,
    data    text    not null check (json_valid(data)),
    trace   text
) strict;

create index timer_by_due on timer (due);

-- Calls to other systems, written in the transaction of their cause, sent by the courier.
-- `state`: pending (waits for `due`), sending (claimed until `lease_until`), succeeded, failed.
create table outbox (
    id              text    primary key,
    destination     text    not null,
    operation       text    not null,
    subject         text    not null,
    idempotency_key text    not null unique,
    request         text    not null check (json_valid(request)),
    state           text    not null default 'pending' check (state in ('pending', 'sending', 'succeeded', 'failed')),
    attempts        integer not null default 0,
    due             integer not null,
    lease_until     integer,
    created_at      integer not null,
    finished_at     integer,
    status          integer,
    response        blob,
    error           text,
    trace           text,
    check ((state = 'sending') = (lease_until is not null)),
    check ((state in ('succeeded', 'failed')) = (finished_at is not null))
) strict;

create index outbox_by_due on outbox (due) where state = 'pending';
create index outbox_by_lease on outbox (lease_until) where state = 'sending';
-- One waiting call a subject: a second cause before the first is sent adds nothing.
create unique index outbox_waiting on outbox (destination, operation, subject) where state = 'pending';
-- A replayed failure starts a new row; the history of a subject is read by this.
create index outbox_by_subject on outbox (subject, created_at);

-- How a destination fares: its budget (a token bucket, in thousandths of a call) and its circuit
-- breaker (open: no calls).
create table destination (
    name         text    primary key,
    tokens       integer not null,
    refilled_at  integer not null,
    failures     integer not null default 0,
    open_until   integer not null default 0
) strict;

-- Leases: who may do a thing that only one should do at a time (refresh a token, for instance).
create table lease (
    name   text    primary key,
    holder text    not null,
    until  integer not null
) strict;
