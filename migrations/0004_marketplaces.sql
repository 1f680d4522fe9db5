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

-- A case is looked for by its own id where a platform does not tell its order.
create index refund_by_case on refund (after_sale_id);

-- A call about a thing waits while another about the same is on its way.
create index outbox_sending on outbox (destination, operation, subject) where state = 'sending';
