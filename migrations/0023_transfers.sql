-- Contacts at WeCom are handed over by WeCom: `asked` waits for its word, and `error` is what it says beyond `reason`.
create table handover_item_next (
    handover text    not null references handover (id),
    customer text    not null references customer (id),
    state    text    not null default 'waiting' check (state in ('waiting', 'asked', 'moved', 'kept', 'refused')),
    reason   text    check (reason in ('by_customer', 'not_in_pool', 'too_often', 'erased', 'merged', 'receiver_full', 'by_platform')),
    error    text,
    at       integer,
    primary key (handover, customer),
    check ((state in ('waiting', 'asked')) = (at is null)),
    check ((state = 'refused') = (reason is not null)),
    check (error is null or state = 'refused')
) strict, without rowid;

insert into handover_item_next (handover, customer, state, reason, at)
select handover, customer, state, reason, at from handover_item;

drop table handover_item;
alter table handover_item_next rename to handover_item;

create index handover_item_waiting on handover_item (handover, customer) where state = 'waiting';
create index handover_item_asked on handover_item (customer) where state = 'asked';
-- How often a customer was handed over lately.
create index handover_item_by_customer on handover_item (customer, at) where state = 'moved';

-- A contact that WeCom was asked to hand over. asked: its word is awaited since `asked_at`.
create table transfer (
    handover text    not null,
    customer text    not null,
    contact  text    not null,
    from_    text    not null,
    to_      text    not null,
    resigned integer not null check (resigned in (0, 1)),
    state    text    not null default 'asked' check (state in ('asked', 'done', 'refused')),
    reason   text    check (reason in ('by_customer', 'receiver_full', 'too_often', 'not_in_pool', 'by_platform')),
    error    text,
    asked_at integer not null,
    primary key (handover, contact),
    check ((state = 'refused') = (reason is not null)),
    check (error is null or state = 'refused')
) strict, without rowid;

create index transfer_asked on transfer (contact) where state = 'asked';
