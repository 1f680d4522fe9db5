-- Files of customers, members and points. Written by functions/customers only. Times are Unix milliseconds UTC.

-- A file that came in. `digest`: keyed hash of its body. `columns`: JSON, the header. Counts of rows are counted from `import_row`.
create table import (
    id         text    primary key,
    kind       text    not null check (kind in ('customers', 'members', 'points')),
    dry_run    integer not null check (dry_run in (0, 1)),
    digest     text    not null,
    columns    text    not null check (json_valid(columns)),
    actor      text    not null,
    created_at integer not null,
    ended_at   integer
) strict;

create index import_by_digest on import (digest, kind, dry_run);

-- Its rows. `sealed` is the row until it is worked off, and nothing afterwards. `digest`: keyed hash of kind and row.
create table import_row (
    import text    not null references import (id),
    row    integer not null check (row > 0),
    digest text    not null,
    state  text    not null default 'waiting' check (state in ('waiting', 'accepted', 'duplicate', 'refused')),
    sealed blob,
    primary key (import, row),
    check ((state = 'waiting') = (sealed is not null))
) strict, without rowid;

create index import_row_waiting on import_row (import, row) where state = 'waiting';
create index import_row_by_digest on import_row (import, digest);

-- What is wrong with a row, without what it says.
create table import_error (
    import text    not null references import (id),
    row    integer not null,
    column text    not null,
    advice text    not null,
    primary key (import, row, column)
) strict, without rowid;

-- Rows that had their effect, whatever file they came in: each has it once.
create table imported (
    digest text    primary key,
    at     integer not null
) strict, without rowid;
