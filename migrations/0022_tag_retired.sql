-- Tags can be retired. A retired tag gives its name back: `name` is its id then, `retired_name` what it was called.
alter table tag add column retired_at integer;
alter table tag add column retired_name text;
-- Changed by events only: from the retirement's place in the log on nobody gets the tag.
alter table tag add column closed integer not null default 0 check (closed in (0, 1));
