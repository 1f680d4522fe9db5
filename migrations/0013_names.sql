-- A name has a time: of several the newest counts, whatever comes in last. Written by functions/customers only.

alter table customer add column name_at integer;
