-- RFM: the merchant's own limits between scores, and what they are worked out from. Written by functions/tagging only.
-- Times are Unix milliseconds UTC; days are numbers, days since 1970-01-01 in the merchant's calendar; money is fen.

-- What the merchant wants, in versions that are never changed. The log tells from where on one is in force.
create table rfm_version (
    version    integer primary key check (version > 0),
    document   text    not null check (json_valid(document)),
    by         text    not null,
    created_at integer not null
) strict;

-- Limits by the place in the log from which on they are in force. `buyers` is how many they were worked out from; null for limits that were
-- written down.
create table rfm_limits (
    seq     integer primary key,
    version integer not null references rfm_version (version),
    limits  text    not null check (json_valid(limits)),
    buyers  integer,
    since   integer not null
) strict;

-- What is being done: figures are gathered as they stood at one place in the log (`day`, `span`), then customers are asked about again.
-- `cursor` is the last customer that was looked at. Changed by events only.
create table tagging_rfm (
    id          integer primary key check (id = 1),
    version     integer not null references rfm_version (version),
    round       integer not null,
    phase       text    not null check (phase in ('gather', 'ask', 'done')),
    day         integer not null,
    span        text    not null,
    cursor      text    not null default '',
    done        integer not null default 0,
    total       integer not null default 0,
    finished_at integer
) strict;

-- Figures of one round, from its place in the log; gone again once the customer was asked about. Nothing but nulls: there was nothing then.
create table rfm_figure (
    customer  text    not null,
    round     integer not null,
    recency   integer,
    frequency integer,
    monetary  integer,
    primary key (customer, round)
) strict, without rowid;

create index rfm_figure_by_recency on rfm_figure (round, recency) where recency is not null;
create index rfm_figure_by_frequency on rfm_figure (round, frequency) where frequency is not null;
create index rfm_figure_by_monetary on rfm_figure (round, monetary) where monetary is not null;
