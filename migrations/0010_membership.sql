-- Membership: points, levels, rewards and member cards. Written by functions/customers only.
-- Times are Unix milliseconds UTC, money is fen. Every row stays with the customer that it was written for and is read over the whole
-- group (`customer.survivor`), so that a merge and its undoing move no rows.

-- How points are earned, in versions that are never changed. A version holds for events that come after `after_seq` in the log.
create table point_rules (
    version    integer primary key,
    after_seq  integer not null,
    body       text    not null check (json_valid(body)),
    by         text    not null,
    created_at integer not null
) strict;

-- The levels of membership, in versions likewise.
create table member_levels (
    version    integer primary key,
    after_seq  integer not null,
    body       text    not null check (json_valid(body)),
    by         text    not null,
    created_at integer not null
) strict;

-- What membership keeps of an order: `body` is what points are computed from, `rules` the version under which (0: there was none),
-- `level` the buyer's level when that was fixed. `earned` points stand credited; `spend` was paid for goods and not given back.
create table member_order (
    order_id text    primary key,
    customer text    references customer (id),
    seq      integer not null,
    paid_at  integer,
    body     text    not null check (json_valid(body)),
    rules    integer not null,
    level    text,
    earned   integer not null default 0 check (earned >= 0),
    spend    integer not null default 0 check (spend >= 0)
) strict;

create index member_order_by_customer on member_order (customer, paid_at);

-- Refunds by order, whichever is told first. One counts from when its goods or its money went back.
create table member_refund (
    refund_id text primary key,
    order_id  text not null,
    state     text not null check (state in ('received', 'refunded', 'failed')),
    claim     text check (json_valid(claim))
) strict;

create index member_refund_by_order on member_refund (order_id);

-- The ledger of points. Entries are added and never changed. Their sum is the remains of all lots less what is owed.
create table point_entry (
    seq        integer primary key autoincrement,
    customer   text    not null references customer (id),
    kind       text    not null check (kind in ('earn', 'spend', 'return', 'expire', 'reverse', 'adjust')),
    points     integer not null check (points <> 0),
    at         integer not null,
    order_id   text,
    redemption text,
    reason     text,
    by         text,
    check (points > 0 or kind not in ('earn', 'return')),
    check (points < 0 or kind not in ('spend', 'expire', 'reverse'))
) strict;

create index point_entry_by_customer on point_entry (customer, seq);
create index point_entry_by_redemption on point_entry (redemption) where redemption is not null;

-- Points that came in together and expire together: those of an entry that adds. What is neither spent nor reversed nor expired
-- remains; it is worth something before `expires_at` only.
create table point_lot (
    entry      integer primary key references point_entry (seq),
    customer   text    not null references customer (id),
    order_id   text,
    points     integer not null check (points > 0),
    remains    integer not null check (remains between 0 and points),
    expired    integer not null default 0 check (expired >= 0),
    expires_at integer not null,
    remind_at  integer,
    check (remains + expired <= points)
) strict;

create index point_lot_by_customer on point_lot (customer, expires_at) where remains > 0;
create index point_lot_by_order on point_lot (order_id) where order_id is not null;

-- Which lots an entry took its points from, and how many. Negative where they were given back.
create table point_allocation (
    entry  integer not null references point_entry (seq),
    lot    integer not null references point_lot (entry),
    points integer not null check (points <> 0),
    primary key (entry, lot)
) strict, without rowid;

-- What a reversal could not take since it was spent: points that come in pay this first. A balance is never shown below zero.
create table point_debt (
    entry    integer primary key references point_entry (seq),
    customer text    not null references customer (id),
    points   integer not null check (points > 0),
    paid     integer not null default 0 check (paid between 0 and points)
) strict;

create index point_debt_open on point_debt (customer, entry) where paid < points;

-- What points are given for: a coupon's template or a SKU of goods. Stock and limit are none where nothing limits.
create table reward (
    id         text    primary key,
    name       text    not null,
    kind       text    not null check (kind in ('coupon', 'goods')),
    code       text    not null,
    price      integer not null check (price > 0),
    stock      integer check (stock >= 0),
    limit_each integer check (limit_each > 0),
    created_at integer not null,
    retired_at integer
) strict;

-- Points that were given up, for a reward or for what the reason says.
create table redemption (
    id           text    primary key,
    customer     text    not null references customer (id),
    reward       text    references reward (id),
    entry        integer not null unique references point_entry (seq),
    points       integer not null check (points > 0),
    reason       text    not null,
    by           text    not null,
    created_at   integer not null,
    cancelled_at integer
) strict;

create index redemption_by_customer on redemption (customer, reward);
create index redemption_by_time on redemption (created_at, id);

-- The level that a customer was last told to have. `at` is the instant for which it was computed.
create table member_level (
    customer text    primary key references customer (id),
    level    text,
    since    integer not null,
    at       integer not null
) strict;

-- Member cards. `claim` is who may have it again: an identity, or the one link that made it. The customer is known as soon as the
-- event of the claim is applied.
create table member_card (
    card      text    primary key,
    claim     text    not null unique,
    customer  text    references customer (id),
    program   text    not null,
    channel   text,
    store     text    check (store like '/%'),
    issued_at integer not null
) strict;

create index member_card_by_customer on member_card (customer, issued_at);

-- Levels in memberships elsewhere (a marketplace's), in their own words. The newest is the truth.
create table member_program (
    customer text    not null references customer (id),
    program  text    not null,
    level    text    not null,
    at       integer not null,
    primary key (customer, program)
) strict, without rowid;
