-- Fission: friends who bring friends. Written by functions/channels only: campaigns and who takes part by its API, all the rest by its consumer.
-- Times are Unix milliseconds UTC. Who somebody is: `kind`, `scope` ('' for none), `value` of an identity.

-- A campaign. `code`: the channel code whose plan the inviters' own codes copy. `rules` is the document that people write
-- (functions/channels/src/fission/mod.rs); it stays as it is once somebody takes part.
create table fission (
    id         text    primary key,
    name       text    not null,
    code       text    not null references channel_code (id),
    rules      text    not null check (json_valid(rules)),
    created_at integer not null,
    ended_at   integer
) strict;

-- The list is paged by (created_at, id), newest first.
create index fission_by_time on fission (created_at, id);

-- Who asked for a code of one's own. `parent`: who brought that one; `depth`: how far below the first inviter; `helps`: how many count now.
create table fission_participant (
    id        text    primary key,
    fission   text    not null references fission (id),
    kind      text    not null,
    scope     text    not null default '',
    value     text    not null,
    code      text    not null unique references channel_code (id),
    parent    text    references fission_participant (id),
    depth     integer not null default 0 check (depth >= 0),
    helps     integer not null default 0 check (helps >= 0),
    joined_at integer not null,
    unique (fission, kind, scope, value)
) strict;

create index fission_participant_by_time on fission_participant (fission, joined_at, id);
create index fission_participant_by_parent on fission_participant (parent) where parent is not null;

-- A friend who came by an inviter's code. `staff`: whom the friend added, '' where the friend follows an account. `became`: the participation of the friend.
create table fission_help (
    id          integer primary key,
    fission     text    not null references fission (id),
    participant text    not null references fission_participant (id),
    kind        text    not null,
    scope       text    not null default '',
    value       text    not null,
    staff       text    not null default '',
    at          integer not null,
    state       text    not null check (state in ('counted', 'refused', 'voided')),
    reason      text,
    became      text    references fission_participant (id),
    unique (participant, kind, scope, value),
    check ((state = 'counted') = (reason is null))
) strict;

create unique index fission_help_counts_once on fission_help (fission, kind, scope, value) where state = 'counted';
create index fission_help_by_fission on fission_help (fission, id);
create index fission_help_by_friend on fission_help (kind, scope, value, fission);
create index fission_help_by_time on fission_help (participant, at, id);
create index fission_help_by_became on fission_help (became) where became is not null;

-- `helps` moves with the statement that writes a help, whichever that is.
create trigger fission_help_written after insert on fission_help when new.state = 'counted' begin
    update fission_participant set helps = helps + 1 where id = new.participant;
end;

create trigger fission_help_changed after update of state on fission_help when (new.state = 'counted') <> (old.state = 'counted') begin
    update fission_participant set helps = helps + iif(new.state = 'counted', 1, -1) where id = new.participant;
end;

-- What an inviter is owed. A level that is reached again is owed again: one row.
create table fission_reward (
    participant text    not null references fission_participant (id),
    level       integer not null check (level > 0),
    state       text    not null check (state in ('owed', 'voided')),
    at          integer not null,
    primary key (participant, level)
) strict, without rowid;

-- Which devices somebody asked from: keyed hashes.
create table fission_device (
    fission text not null references fission (id),
    device  text not null,
    kind    text not null,
    scope   text not null default '',
    value   text not null,
    primary key (fission, device, kind, scope, value)
) strict, without rowid;

create index fission_device_by_who on fission_device (kind, scope, value, fission);

-- Since when somebody knows a member of staff (or an account: `staff` is ''), and until when, as the log has told so far. The table `contact` is ahead of it.
create table acquaintance (
    kind     text    not null,
    scope    text    not null default '',
    value    text    not null,
    staff    text    not null default '',
    first_at integer not null,
    left_at  integer,
    primary key (kind, scope, value, staff)
) strict, without rowid;
