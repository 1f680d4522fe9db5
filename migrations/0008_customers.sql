-- Customers: who is who, what is known of each, and what each did. Written by functions/customers only.
-- Times are Unix milliseconds UTC. What is personal is sealed with the data key or a keyed hash.

insert into consumer (name) values ('customers');

-- A customer began with one identity (`home`) and keeps its id for ever. `survivor` is itself or, after a merge, the older customer
-- whose part it is: whoever's group has its home. Data written for an id stay with it, so a merge can be undone.
create table customer (
    id          text    primary key,
    survivor    text    not null references customer (id),
    home        integer not null unique references identity (id) deferrable initially deferred,
    created_at  integer not null,
    stage       text    not null default 'stranger' check (stage in
        ('stranger', 'lead', 'contact', 'buyer', 'repeat_buyer', 'loyal', 'dormant', 'lost', 'won_back')),
    stage_since integer not null,
    store       text    check (store like '/%'),
    advisor     text,
    name        blob,
    erased_at   integer
) strict;

create index customer_by_survivor on customer (survivor);
-- The list is paged by (created_at, id), newest first; those who are part of another are not in it.
create index customer_by_time on customer (created_at, id) where survivor = id;
create index customer_by_stage on customer (stage, created_at, id) where survivor = id;
create index customer_by_store on customer (store, created_at, id) where survivor = id;
create index customer_by_advisor on customer (advisor, created_at, id) where survivor = id;

-- One row an identity: a platform's id, a keyed hash. `customer` is the survivor whose it is now. `lead_at`, `contact_at`, `lost_at`: the newest
-- sign of interest, of a bond with staff or card, and of the end of either. `store`, `advisor`: where and with whom it was last.
create table identity (
    id         integer primary key,
    kind       text    not null,
    scope      text    not null default '',
    value      text    not null,
    customer   text    not null references customer (id) deferrable initially deferred,
    first_seen integer not null,
    lead_at    integer,
    contact_at integer,
    lost_at    integer,
    store      text    check (store like '/%'),
    store_at   integer,
    advisor    text,
    advisor_at integer,
    unique (kind, scope, value)
) strict;

create index identity_by_customer on identity (customer);

-- Which identities were seen together, each set once, with the earliest time. Who is who follows from these and from people's decisions.
create table identity_fact (
    id     integer primary key,
    digest blob    not null unique check (length(digest) = 32),
    at     integer not null
) strict;

create table identity_fact_member (
    identity integer not null references identity (id),
    fact     integer not null references identity_fact (id),
    primary key (identity, fact)
) strict, without rowid;

create index identity_fact_member_by_fact on identity_fact_member (fact);

-- What people have decided of two identities: they are one person's (`same`), or not. The newest decision stands.
create table identity_decision (
    low    integer not null references identity (id),
    high   integer not null references identity (id),
    same   integer not null check (same in (0, 1)),
    by     text    not null,
    reason text    not null,
    at     integer not null,
    primary key (low, high),
    check (low < high)
) strict, without rowid;

create index identity_decision_by_high on identity_decision (high);

-- Merges and splits as they happened. `by` is null where identities proved it.
create table customer_merge (
    seq      integer primary key,
    customer text    not null references customer (id),
    other    text    not null references customer (id),
    what     text    not null check (what in ('merged', 'split')),
    by       text,
    reason   text,
    at       integer not null
) strict;

create index customer_merge_by_customer on customer_merge (customer);
create index customer_merge_by_other on customer_merge (other);

-- Two customers who may be one: a person settles it. `left_home` and `right_home` are the homes, since customers come and go.
create table customer_conflict (
    id         text    primary key,
    left_home  integer not null references identity (id),
    right_home integer not null references identity (id),
    state      text    not null default 'open' check (state in ('open', 'merged', 'apart', 'gone')),
    opened_at  integer not null,
    settled_at integer,
    by         text,
    check ((state = 'open') = (settled_at is null))
) strict;

create unique index customer_conflict_open on customer_conflict (left_home, right_home) where state = 'open';
create index customer_conflict_by_time on customer_conflict (state, opened_at, id);

-- What happened, for the timeline: by identity, so that it moves with its identity. `summary` is JSON without personal data.
create table customer_activity (
    identity integer not null references identity (id),
    at       integer not null,
    seq      integer not null,
    type     text    not null,
    summary  text    not null check (json_valid(summary)),
    primary key (identity, at, seq)
) strict, without rowid;

-- What came with an event and is personal, sealed: names, phones, texts, values of the profile. Written with the event; `identity` is
-- set when the event is consumed.
create table intake (
    event_id text    primary key,
    identity integer references identity (id),
    sealed   blob    not null
) strict, without rowid;

create index intake_by_identity on intake (identity);

-- The clear value, sealed, of an identity that is a keyed hash.
create table identity_clear (
    kind   text not null,
    value  text not null,
    sealed blob not null,
    primary key (kind, value)
) strict, without rowid;

-- Paid orders by the identity that bought. `paid` and `refunded` in fen.
create table customer_order (
    order_id text    primary key,
    identity integer not null references identity (id),
    paid_at  integer,
    paid     integer not null default 0 check (paid >= 0),
    refunded integer not null default 0 check (refunded >= 0)
) strict;

create index customer_order_by_identity on customer_order (identity, paid_at);

-- Refunds, which may be told before their order. `customer_order.refunded` is their sum.
create table customer_refund (
    refund_id text    primary key,
    order_id  text    not null,
    amount    integer not null check (amount >= 0)
) strict;

create index customer_refund_by_order on customer_refund (order_id);

-- Moves between stages.
create table customer_stage (
    customer text    not null references customer (id),
    seq      integer not null,
    at       integer not null,
    from_    text,
    to_      text    not null,
    cause    text    not null,
    primary key (customer, seq)
) strict, without rowid;

-- Fields of the profile that the merchant has defined.
create table profile_field (
    name       text    primary key,
    label      text    not null,
    type       text    not null check (type in ('number', 'choice', 'date', 'flag', 'text')),
    choices    text    not null default '[]' check (json_valid(choices)),
    minimum    integer,
    maximum    integer,
    created_at integer not null,
    retired_at integer
) strict;

-- Values, each with its source and the time at which it was true; the newest counts. Free text is sealed.
create table customer_attribute (
    customer text    not null references customer (id),
    field    text    not null references profile_field (name),
    at       integer not null,
    source   text    not null,
    value    text    check (json_valid(value)),
    sealed   blob,
    by       text,
    primary key (customer, field, at, source),
    check (value is null or sealed is null)
) strict, without rowid;

-- Consent (个人信息保护法 article 13 f.), the newest record by purpose counts.
create table customer_consent (
    customer text    not null references customer (id),
    purpose  text    not null,
    at       integer not null,
    granted  integer not null check (granted in (0, 1)),
    source   text    not null,
    by       text,
    primary key (customer, purpose, at)
) strict, without rowid;

-- Keyed hashes of the beginnings of names, for search.
create table customer_name_prefix (
    hash     text not null,
    customer text not null references customer (id),
    primary key (hash, customer)
) strict, without rowid;

create index customer_name_prefix_by_customer on customer_name_prefix (customer);

-- Identities that hint at who and prove nothing.
create table identity_hint (
    kind     text    not null,
    value    text    not null,
    identity integer not null references identity (id),
    at       integer not null,
    primary key (kind, value, identity)
) strict, without rowid;

create index identity_hint_by_identity on identity_hint (identity);

-- Words that the merchant listens for in what people say.
create table keyword (
    word       text    primary key,
    created_at integer not null
) strict;
