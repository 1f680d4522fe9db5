-- Tags at WeCom: which groups of tags are kept there too, and what each pair of staff and contact is marked with. Written by functions/channels only.
-- Times are Unix milliseconds UTC. Ids of tags and their groups are functions/tagging's; `wecom_…` is WeCom's.

-- Groups of tags that the merchant has chosen. `name` is ours, `wecom_name` what WeCom has, or was asked to have last.
create table wecom_tag_group (
    tag_group    text    primary key,
    name         text    not null,
    wecom_id     text    unique,
    wecom_name   text,
    trouble      text,
    -- Names of tags that WeCom has in this group and that nobody has made here, JSON.
    others       text    not null default '[]' check (json_valid(others)),
    -- When WeCom told its id.
    since        integer,
    created_at   integer not null,
    check ((wecom_id is null) = (since is null))
) strict, without rowid;

-- Their tags. `wecom_name` without `wecom_id`: asked for, not answered. `doubted`: WeCom says that it changed and has not said how.
create table wecom_tag (
    tag        text    primary key,
    tag_group  text    not null references wecom_tag_group (tag_group) on delete cascade,
    name       text    not null,
    wecom_id   text    unique,
    wecom_name text,
    trouble    text,
    since      integer,
    doubted    integer not null default 0 check (doubted in (0, 1)),
    deleted    integer not null default 0 check (deleted in (0, 1)),
    check ((wecom_id is null) = (since is null)),
    check (deleted = 0 or wecom_id is null)
) strict, without rowid;

create index wecom_tag_by_group on wecom_tag (tag_group, tag);

-- What a pair was asked to be marked with, and is. `changed_at`: when WeCom answered, or told, last.
create table wecom_mark (
    staff      text    not null,
    contact    text    not null,
    tag        text    not null references wecom_tag (tag) on delete cascade,
    state      text    not null check (state in ('asked', 'marked', 'leaving', 'gone', 'declined', 'untold')),
    changed_at integer not null,
    primary key (contact, staff, tag)
) strict, without rowid;

create index wecom_mark_by_tag on wecom_mark (tag);

-- Customers who are part of another, as customer.merged and customer.split last told.
create table channel_merge (
    customer text primary key,
    survivor text not null
) strict, without rowid;

create index channel_merge_by_survivor on channel_merge (survivor);

-- Tags of customers as tag.added and tag.removed tell. `word`: a person's, which wins over rules; its no is `present` 0.
create table channel_customer_tag (
    customer text    not null,
    tag      text    not null,
    present  integer not null check (present in (0, 1)),
    word     integer not null check (word in (0, 1)),
    at       integer not null,
    primary key (customer, tag),
    check (present = 1 or word = 1)
) strict, without rowid;

create index channel_customer_tag_by_tag on channel_customer_tag (tag, customer) where present = 1;

-- What was told before there were these tables.
insert into channel_merge (customer, survivor)
select id, survivor from tagging_customer where part_of is not null;

insert into channel_customer_tag (customer, tag, present, word, at)
select customer, tag, coalesce(max(case when rule = '' then present end), 1), max(rule = ''), max(since)
  from customer_tag
 group by customer, tag;
