-- Marketplaces: the shops that are connected, and how far each has been pulled. Times are Unix milliseconds UTC.

-- Shops that the merchant has connected, with the tokens that the platform gave for them, sealed with the data key.
-- Written by functions/courier, which renews the tokens.
create table shop (
    platform      text    not null,
    shop          text    not null,
    name          text    not null check (name <> ''),
    access_token  blob,
    refresh_token blob,
    expires_at    integer,
    connected_at  integer not null,
    primary key (platform, shop)
) strict, without rowid;

-- How far each connected shop has been pulled. Written by functions/orders.
-- `pulled_until`: whatever changed before has been asked for. `failures` counts those in a row.
create table pull (
    platform     text    not null,
    shop         text    not null,
    kind         text    not null check (kind in ('orders', 'after_sales', 'messages')),
    pulled_until integer not null,
    failures     integer not null default 0 check (failures >= 0),
    error        text,
    primary key (platform, shop, kind)
) strict, without rowid;

-- Where a SKU is offered. Written by functions/orders. `safety`: pieces that are kept back from the platform. `asked`: the
-- pieces that it was asked to show last; none where it has refused. `told`: the pieces that it has taken last.
create table listing (
    platform     text    not null,
    shop         text    not null,
    product      text    not null check (product <> ''),
    platform_sku text    not null default '',
    sku          text    not null,
    safety       integer not null default 0 check (safety >= 0),
    asked        integer check (asked >= 0),
    told         integer check (told >= 0),
    primary key (platform, shop, product, platform_sku)
) strict, without rowid;

create index listing_by_sku on listing (sku);

-- When the goods of a case came back.
alter table refund add column received_at integer;

-- Parcels that are watched, and the orders whose goods are in them. Written by functions/orders. `facts`: all that the
-- watcher has told (domain::ParcelFacts); `announced` lists the steps of which an event stands in the log.
create table parcel (
    tracking_number text    primary key,
    facts           text    not null check (json_valid(facts)),
    status          text    check (status in
        ('picked_up', 'in_transit', 'problem', 'delivering', 'signed', 'returning', 'returned')),
    announced       text    not null default '[]' check (json_valid(announced)),
    watched_at      integer not null
) strict, without rowid;

create table parcel_order (
    tracking_number text not null references parcel (tracking_number),
    order_id        text not null references "order" (id),
    primary key (tracking_number, order_id)
) strict, without rowid;

create index parcel_order_by_order on parcel_order (order_id);

-- A case is looked for by its own id where a platform does not tell its order.
create index refund_by_case on refund (after_sale_id);

-- A call about a thing waits while another about the same is on its way.
create index outbox_sending on outbox (destination, operation, subject) where state = 'sending';

-- Who has bought what and when, by the first of an order's identities. Written by functions/orders.
create table purchase (
    kind     text    not null,
    scope    text    not null default '',
    value    text    not null,
    sku      text    not null,
    order_id text    not null references "order" (id),
    paid_at  integer not null,
    primary key (kind, scope, value, sku, paid_at, order_id)
) strict, without rowid;

-- The earliest paid order of a buyer, as far as is known.
create table buyer (
    kind     text    not null,
    scope    text    not null default '',
    value    text    not null,
    order_id text    not null references "order" (id),
    paid_at  integer not null,
    primary key (kind, scope, value)
) strict, without rowid;

-- How often buyers have bought a SKU again after so many whole days.
create table repurchase (
    sku   text    not null,
    days  integer not null check (days >= 0),
    count integer not null check (count >= 0),
    primary key (sku, days)
) strict, without rowid;
