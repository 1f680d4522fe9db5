-- Attribution: touches, what orders are worth and which channels they are owed to, what channels cost. Written by functions/channels only.
-- `kind`, `scope`, `value`: an identity. `person`: the customer whose it is, as customer.identified last told; `kind:scope:value` while nobody has told.
-- Once a customer is erased, its identities stand here as `erased`: figures stay, the person goes.
-- Money is fen. Days are numbers, days since 1970-01-01 in the merchant's calendar.

-- What attribution goes by. `wanted_…` is what people have set; the rest is in force since the event attribution.due of that revision. `finished`: whether
-- every order has been worked out anew since.
create table attribution_setting (
    id                    integer primary key check (id = 1),
    window_days           integer not null,
    half_life_days        integer not null,
    revision              integer not null,
    wanted_window_days    integer not null,
    wanted_half_life_days integer not null,
    wanted_revision       integer not null,
    finished              integer not null check (finished in (0, 1))
) strict;

insert into attribution_setting values (1, 30, 7, 0, 30, 7, 0, 1);

-- An identity came by a channel: one row however often it came by the same code and the same member of staff. `at` and `store` are of the first time.
-- `added_at` is when it first became a contact, a follower or a member of a group by that; `replied_day` when it first wrote after that; `lost_day` when it
-- left, while it is gone.
create table touch (
    id          integer primary key,
    kind        text    not null,
    scope       text    not null default '',
    value       text    not null,
    person      text    not null,
    channel     text    not null,
    code        text    not null default '',
    staff       text    not null default '',
    store       text,
    at          integer not null,
    added_at    integer,
    added_day   integer,
    replied_day integer,
    lost_day    integer,
    unique (kind, scope, value, channel, code, staff),
    check ((added_at is null) = (added_day is null)),
    check (added_at is not null or (replied_day is null and lost_day is null))
) strict;

create index touch_by_person on touch (person, at, id);
create index touch_by_added on touch (added_day, channel) where added_day is not null;
create index touch_by_replied on touch (replied_day) where replied_day is not null;
create index touch_by_lost on touch (lost_day) where lost_day is not null;

-- Each time that it came by that: what orders are owed to. `joins`: it became a contact, a follower or a member of a group.
create table touch_time (
    touch integer not null references touch (id),
    at    integer not null,
    store text    not null default '',
    joins integer not null check (joins in (0, 1)),
    primary key (touch, at, store)
) strict, without rowid;

-- When a contact (of `staff`) or a follower (`staff` empty) came last, and left last.
create table touch_bond (
    kind        text    not null,
    scope       text    not null default '',
    value       text    not null,
    staff       text    not null default '',
    added_at    integer,
    removed_at  integer,
    removed_day integer,
    primary key (kind, scope, value, staff)
) strict, without rowid;

-- Days on which somebody wrote, with the last time on each.
create table touch_message (
    kind    text    not null,
    scope   text    not null default '',
    value   text    not null,
    day     integer not null,
    person  text    not null,
    last_at integer not null,
    primary key (kind, scope, value, day)
) strict, without rowid;

create index touch_message_by_person on touch_message (person, day);

-- Scans by day: addresses of codes that were opened, and scans that platforms told of.
create table channel_scan (
    day     integer not null,
    channel text    not null,
    code    text    not null,
    store   text    not null default '',
    scans   integer not null check (scans > 0),
    primary key (day, channel, code, store)
) strict, without rowid;

insert into channel_scan (day, channel, code, store, scans)
select code_scan.day, channel_code.channel, channel_code.id, channel_code.store, code_scan.scans
  from code_scan join channel_code on channel_code.id = code_scan.code;

-- Paid orders. `worth` is what of the payment has not gone back. `is_first`: the earliest order of its person that is worth anything.
create table attributed_order (
    order_id text    primary key,
    kind     text,
    scope    text,
    value    text,
    person   text,
    paid_at  integer not null,
    day      integer not null,
    paid     integer not null,
    refunded integer not null default 0,
    worth    integer not null check (worth >= 0),
    is_first integer not null default 0 check (is_first in (0, 1)),
    check ((kind is null) = (value is null) and (kind is null) = (person is null) and (kind is null) = (scope is null))
) strict, without rowid;

create index attributed_order_by_person on attributed_order (person, paid_at, order_id);
create index attributed_order_by_identity on attributed_order (kind, scope, value);
create index attributed_order_first on attributed_order (person) where is_first = 1;

-- Money that went back, which may be told before its order.
create table attributed_refund (
    refund_id text    primary key,
    order_id  text    not null,
    amount    integer not null
) strict, without rowid;

create index attributed_refund_by_order on attributed_refund (order_id);

-- Whom an order is owed to, by each model: the rows of an order and a model sum to its worth. A row without a channel is owed to none. The order counts in
-- the row that `leads`: the one with the largest share.
create table attribution (
    order_id text    not null references attributed_order (order_id),
    model    text    not null check (model in ('first_touch', 'last_touch', 'linear', 'time_decay')),
    part     integer not null,
    channel  text,
    code     text,
    store    text,
    staff    text,
    day      integer not null,
    amount   integer not null check (amount >= 0),
    leads    integer not null check (leads in (0, 1)),
    primary key (order_id, model, part)
) strict, without rowid;

create index attribution_by_day on attribution (model, day);

-- What a channel cost on a day, in all stores (`/`) or in a part of them.
create table channel_cost (
    channel    text    not null references channel (name),
    day        integer not null,
    store      text    not null default '/' check (store like '/%'),
    amount     integer not null check (amount between 1 and 1000000000000),
    note       text,
    changed_at integer not null,
    primary key (channel, day, store)
) strict, without rowid;

create index channel_cost_by_day on channel_cost (day);
