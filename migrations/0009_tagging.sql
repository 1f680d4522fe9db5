-- Tags, features, rules and segments. Written by functions/tagging only.
-- Times are Unix milliseconds UTC; days are numbers, days since 1970-01-01 in the merchant's calendar.

insert into consumer (name, follows) values ('tagging', 'customers');

-- How far the consumer's own day has come, and which rules are at work (`revision` is a digest of them).
create table tagging_engine (
    id       integer primary key check (id = 1),
    day      integer not null,
    revision text    not null
) strict;

-- One row an identity, with what it did as figures (functions/tagging/src/feature/state.rs). An event is booked on the smallest of its
-- identities; a customer's figures are the sum over its identities. `customer` is as customer.identified last told.
create table subject (
    id       integer primary key,
    kind     text    not null,
    scope    text    not null default '',
    value    text    not null,
    customer text,
    state    text    not null default '{}' check (json_valid(state)),
    unique (kind, scope, value)
) strict;

create index subject_by_customer on subject (customer) where customer is not null;

-- What each paid order has added, so that it can be taken back when more becomes known, and its refunds. `subject` is null while only a refund
-- has told of it.
create table tagging_order (
    order_id text    primary key,
    subject  integer references subject (id),
    booked   text    not null check (json_valid(booked))
) strict;

-- Customers as the log tells of them. `part_of` is the customer that one was merged into, `survivor` the end of that chain.
-- `matched` holds the rules that hold, `due` the day on which one may change with no event.
create table tagging_customer (
    id         text    primary key,
    survivor   text    not null references tagging_customer (id),
    part_of    text    references tagging_customer (id),
    stage      text,
    attributes text    not null default '{}' check (json_valid(attributes)),
    matched    text    not null default '{}' check (json_valid(matched)),
    due        integer,
    check ((survivor = id) = (part_of is null))
) strict;

create index tagging_customer_by_survivor on tagging_customer (survivor);
create index tagging_customer_by_part_of on tagging_customer (part_of) where part_of is not null;
-- Back-fill pages through these.
create unique index tagging_customer_alone on tagging_customer (id) where part_of is null;
create index tagging_customer_by_due on tagging_customer (due, id) where due is not null and part_of is null;

-- What the merchant's catalogue says of a SKU.
create table product (
    sku        text    primary key,
    category   text,
    brand      text,
    flavour    text,
    updated_at integer not null
) strict;

create table tag_group (
    id         text    primary key,
    name       text    not null unique,
    single     integer not null check (single in (0, 1)),
    colour     text    check (colour like '#______'),
    owner      text    not null check (owner like '/%'),
    created_at integer not null
) strict;

create table tag (
    id         text    primary key,
    tag_group  text    not null references tag_group (id),
    name       text    not null,
    created_at integer not null,
    unique (tag_group, name)
) strict;

-- Why a customer has a tag: one row a reason. `rule` is the rule whose doing it is, or '' for a person's word, which wins over all rules:
-- `present` 0 is a person's no. `until` is the first day on which the reason is gone; `lasting` reasons go with their rule's condition.
create table customer_tag (
    customer text    not null references tagging_customer (id),
    tag      text    not null references tag (id),
    rule     text    not null,
    present  integer not null check (present in (0, 1)),
    version  integer,
    event    text    not null,
    by       text,
    since    integer not null,
    until    integer,
    lasting  integer not null check (lasting in (0, 1)),
    seen     text    not null default '[]' check (json_valid(seen)),
    primary key (customer, tag, rule),
    check ((rule = '') = (by is not null)),
    check (present = 1 or rule = '')
) strict, without rowid;

create index customer_tag_by_tag on customer_tag (tag, customer);

-- Rules as people write them. `active` is the version that is wanted at work; the log tells when it gets to be.
create table tag_rule (
    id         text    primary key,
    name       text    not null unique,
    draft      integer,
    active     integer,
    created_at integer not null,
    updated_at integer not null,
    retired_at integer,
    check (retired_at is null or active is null)
) strict;

-- What each version says. A version is never changed once it was active.
create table tag_rule_version (
    rule       text    not null references tag_rule (id),
    version    integer not null check (version > 0),
    definition text    not null check (json_valid(definition)),
    by         text    not null,
    created_at integer not null,
    primary key (rule, version)
) strict, without rowid;

create table segment (
    id         text    primary key,
    name       text    not null unique,
    condition  text    not null check (json_valid(condition)),
    revision   integer not null check (revision > 0),
    created_at integer not null,
    updated_at integer not null,
    retired_at integer
) strict;

-- What is at work, rules and segments alike, and how far customers have been looked at since. Changed by events only.
create table tagging_rule (
    id          text    primary key,
    kind        text    not null check (kind in ('rule', 'segment')),
    version     integer not null,
    definition  text    check (json_valid(definition)),
    cursor      text    not null default '',
    done        integer not null default 0,
    total       integer not null default 0,
    finished_at integer,
    members     integer not null default 0 check (members >= 0)
) strict;

create table segment_member (
    segment  text    not null,
    customer text    not null,
    since    integer not null,
    primary key (segment, customer)
) strict, without rowid;

create index segment_member_by_customer on segment_member (customer);

-- Members as they were at one moment, for sending.
create table segment_snapshot (
    segment  text    not null references segment (id),
    number   integer not null,
    revision integer not null,
    members  integer not null,
    taken_at integer not null,
    primary key (segment, number)
) strict, without rowid;

create table segment_snapshot_member (
    segment  text    not null,
    number   integer not null,
    customer text    not null,
    primary key (segment, number, customer),
    foreign key (segment, number) references segment_snapshot (segment, number)
) strict, without rowid;
