-- Staff and their customers: relations, handovers, follow-ups. Written by functions/customers only, but for the token's column.
-- Times are Unix milliseconds UTC. `staff` is the merchant's number of a member of staff.

-- A token of a member of staff sees that one's customers only.
alter table api_token add column staff text check (staff <> '');

-- The relation of a member of staff with a customer. `customer` is the id at the time of writing; read it over the group of those who are one
-- (`select id from customer where survivor = ?`). `since`: when it began last.
create table relation (
    customer text    not null references customer (id),
    staff    text    not null check (staff <> ''),
    state    text    not null check (state in ('added', 'lost')),
    since    integer not null,
    ended    integer,
    ended_by text    check (ended_by in ('customer', 'staff', 'handover')),
    primary key (customer, staff),
    check ((state = 'lost') = (ended is not null)),
    check ((ended is null) = (ended_by is null))
) strict, without rowid;

-- A member's pool.
create index relation_by_staff on relation (staff, customer) where state = 'added';

-- All that happened to relations, never changed. `actor`: who told of it.
create table relation_change (
    seq      integer primary key,
    customer text    not null references customer (id),
    staff    text    not null,
    change   text    not null check (change in ('added', 're_added', 'lost', 'handed_over')),
    by       text    not null check (by in ('customer', 'staff', 'handover')),
    at       integer not null,
    actor    text,
    handover text    references handover (id)
) strict;

create index relation_change_by_customer on relation_change (customer, at, seq);

-- Customers of one member of staff go to another. `due`: when they go; `store`: the subtree that its maker sees.
create table handover (
    id         text    primary key,
    from_      text    not null check (from_ <> ''),
    to_        text    not null check (to_ <> ''),
    kind       text    not null check (kind in ('resignation', 'on_the_job')),
    reason     text    not null,
    actor      text    not null,
    store      text    not null check (store like '/%'),
    created_at integer not null,
    due        integer not null,
    ended_at   integer,
    check (from_ <> to_)
) strict;

create index handover_by_from on handover (from_, created_at);

-- One customer of a handover. moved: the receiver has it; kept: the receiver had it before; refused: `reason` says why.
create table handover_item (
    handover text    not null references handover (id),
    customer text    not null references customer (id),
    state    text    not null default 'waiting' check (state in ('waiting', 'moved', 'kept', 'refused')),
    reason   text    check (reason in ('by_customer', 'not_in_pool', 'too_often', 'erased', 'merged')),
    at       integer,
    primary key (handover, customer),
    check ((state = 'waiting') = (at is null)),
    check ((state = 'refused') = (reason is not null))
) strict, without rowid;

create index handover_item_waiting on handover_item (handover, customer) where state = 'waiting';
-- How often a customer was handed over lately.
create index handover_item_by_customer on handover_item (customer, at) where state = 'moved';

-- What staff wrote down of a contact, and when to get in touch again. Notes are sealed. `stage`, `done_stage`: how far the customer had come then.
create table follow_up (
    id           text    primary key,
    customer     text    not null references customer (id),
    staff        text    not null check (staff <> ''),
    outcome      text    not null check (outcome in
        ('reached', 'no_answer', 'interested', 'declined', 'booked', 'bought', 'other')),
    note         blob,
    stage        text    not null,
    next_at      integer,
    actor        text    not null,
    created_at   integer not null,
    done_at      integer,
    done_outcome text    check (done_outcome in
        ('reached', 'no_answer', 'interested', 'declined', 'booked', 'bought', 'other')),
    done_note    blob,
    done_stage   text,
    done_actor   text,
    check ((done_at is null) = (done_outcome is null))
) strict;

create index follow_up_by_customer on follow_up (customer, created_at);
-- What is still to be done, by whom and when.
create index follow_up_open on follow_up (staff, next_at, id) where next_at is not null and done_at is null;
create index follow_up_open_by_time on follow_up (next_at, id) where next_at is not null and done_at is null;
