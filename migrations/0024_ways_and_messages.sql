-- The ways of single receivers follow the plan: `wanted` is what WeCom was asked to have last (JSON), null where that is not known. A retired one is gone at
-- WeCom, and who comes by its state is still credited to the code.
alter table channel_code_way add column wanted text;
alter table channel_code_way add column retired integer not null default 0 check (retired in (0, 1));

-- A message in the welcome's place that a member of staff is to send: WeCom's id of it.
alter table welcome add column message_id text;
