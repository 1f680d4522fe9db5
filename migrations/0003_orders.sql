-- Orders, refunds and stock, and what came in. Written by functions/orders only.
-- Money is integer fen, times are Unix milliseconds UTC.

insert into consumer (name) values ('orders');

-- The history of one thing.
create index event_by_subject on event (subject, seq);

-- Messages that were taken in: a repetition finds its digest here and changes nothing.
create table inbox (
    source      text    not null,
    digest      blob    not null check (length(digest) = 32),
    message_id  text    not null,
    received_at integer not null,
    primary key (source, digest)
) strict, without rowid;

create index inbox_by_time on inbox (received_at);

-- What was authentic and could not be understood, sealed with the data key, for a person to look at.
create table inbox_quarantine (
    id          text    primary key,
    source      text    not null,
    digest      blob    not null check (length(digest) = 32),
    reason      text    not null,
    body        blob    not null,
    received_at integer not null,
    unique (source, digest)
) strict;

-- One row an order. `facts` is all that deliveries have told (domain::OrderFacts); the other columns follow from it.
-- `announced` lists the steps of which an event stands in the log; `detailed` tells whether the full record was
-- known to the last of them.
create table "order" (
    id                text    primary key,
    platform          text    not null,
    shop              text    not null,
    platform_order_id text    not null,
    facts             text    not null check (json_valid(facts)),
    status            text    not null check (status in
        ('created', 'paid', 'partly_shipped', 'shipped', 'signed', 'completed', 'closed')),
    raw_status        text,
    flags             text    not null default '[]' check (json_valid(flags)),
    complete          integer not null check (complete in (0, 1)),
    payable           integer check (payable >= 0),
    paid              integer check (paid >= 0),
    store             text    check (store like '/%'),
    placed_at         integer not null,
    updated_at        integer not null,
    announced         text    not null default '[]' check (json_valid(announced)),
    detailed          integer not null default 0 check (detailed in (0, 1)),
    overdue           integer not null default 0 check (overdue in (0, 1)),
    phone             blob,
    unique (platform, shop, platform_order_id)
) strict;

-- The list is paged by (placed_at, id), newest first.
create index order_by_time on "order" (placed_at, id);
create index order_by_status on "order" (status, placed_at, id);

-- Who bought: platforms' ids and keyed hashes.
create table order_identity (
    order_id text not null references "order" (id),
    kind     text not null,
    scope    text not null default '',
    value    text not null,
    primary key (order_id, kind, scope, value)
) strict, without rowid;

create index order_identity_by_value on order_identity (value, kind);

-- After-sale cases, one row each, in the manner of "order".
create table refund (
    id            text    primary key,
    order_id      text    not null references "order" (id),
    after_sale_id text    not null,
    facts         text    not null check (json_valid(facts)),
    status        text    not null check (status in
        ('applied', 'agreed', 'returning', 'rejected', 'cancelled', 'refunded')),
    amount        integer check (amount >= 0),
    applied_at    integer not null,
    announced     text    not null default '[]' check (json_valid(announced)),
    overdue       integer not null default 0 check (overdue in (0, 1)),
    unique (order_id, after_sale_id)
) strict;

-- One truth per SKU. What can be sold is on_hand − reserved.
create table stock (
    sku        text    primary key,
    on_hand    integer not null check (on_hand >= 0),
    reserved   integer not null default 0 check (reserved >= 0 and reserved <= on_hand),
    updated_at integer not null
) strict;

-- What an order holds of a SKU, all its lines together. `short`: the platform has sold what was not there.
create table stock_reservation (
    order_id text    not null references "order" (id),
    sku      text    not null references stock (sku),
    quantity integer not null check (quantity > 0),
    state    text    not null check (state in ('reserved', 'short', 'committed', 'released')),
    primary key (order_id, sku)
) strict, without rowid;

create index stock_reservation_short on stock_reservation (sku, order_id) where state = 'short';
