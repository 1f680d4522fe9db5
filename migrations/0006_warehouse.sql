-- Documents of warehouses that have been taken: goods that came in or left. Written by functions/orders. `content` is what the
-- document says (platforms::warehouse::Document): the same number with another content is a mistake. `moved_at`: when, by the
-- warehouse's clock.
create table stock_document (
    warehouse   text    not null,
    document_id text    not null,
    content     text    not null check (json_valid(content)),
    moved_at    integer not null,
    taken_at    integer not null,
    primary key (warehouse, document_id)
) strict, without rowid;
