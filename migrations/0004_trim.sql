-- What the tick forgets with time (functions/pump/src/retention.rs) is found by an index.

create index outbox_by_finish on outbox (finished_at) where response is not null;
