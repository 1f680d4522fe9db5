-- Couriers who fetch the goods of after-sale cases. Written by functions/orders. `sender`: who hands the parcel over, sealed with
-- the data key. `ordered`: the carrier's own numbers of the order. `fee`: what the merchant pays, in fen.
create table pickup (
    id              text    primary key,
    refund_id       text    not null references refund (id),
    carrier         text    not null check (carrier <> ''),
    sender          blob    not null,
    cargo           text,
    grams           integer check (grams > 0),
    status          text    not null check (status in
        ('wanted', 'requested', 'placed', 'accepted', 'picked_up', 'failed', 'cancelled', 'signed', 'returned')),
    raw_status      text,
    ordered         text    check (json_valid(ordered)),
    tracking_number text,
    fee             integer check (fee >= 0),
    created_at      integer not null
) strict, without rowid;

create index pickup_by_refund on pickup (refund_id, id);

-- One at a time: another only when it came to nothing.
create unique index pickup_standing on pickup (refund_id) where status not in ('failed', 'cancelled');
