-- Content radar: links to contents that tell when they are read. Written by functions/channels only.
-- Times are Unix milliseconds UTC. Who somebody is: `kind`, `scope` ('' for none), `value` of an identity; all absent where nobody knows.

-- What can be read. `embed`: whether the page that counts shows it inside itself.
create table content (
    id         text    primary key,
    kind       text    not null check (kind in ('article', 'product', 'file', 'video')),
    title      text    not null,
    url        text    not null,
    product    text,
    embed      integer not null default 0 check (embed in (0, 1)),
    store      text    not null check (store like '/%'),
    created_at integer not null,
    retired_at integer
) strict;

-- The list is paged by (created_at, id), newest first.
create index content_by_time on content (created_at, id);

-- A link to a content: `/r/<token>`. `staff`: who shared it; `kind`, `scope`, `value`: the customer whom it was made for; `parent`: the link that it was forwarded
-- from, by `visitor`; `depth`: how often it was passed on.
create table content_share (
    token      text    primary key check (length(token) between 1 and 24),
    content    text    not null references content (id),
    staff      text,
    kind       text,
    scope      text    not null default '',
    value      text,
    parent     text    references content_share (token),
    visitor    text,
    depth      integer not null default 0 check (depth >= 0),
    created_at integer not null,
    check ((kind is null) = (value is null))
) strict, without rowid;

create index content_share_by_who on content_share (kind, scope, value) where kind is not null;
create index content_share_by_content on content_share (content, created_at, token);
-- Who forwards a link twice gets the same one.
create unique index content_share_by_forwarder on content_share (parent, visitor) where visitor is not null;

-- A browser that has opened a link which was made for one customer, the first to do so. `visitor`: the hash of its cookie.
create table content_visitor (
    visitor text    primary key,
    share   text    not null unique references content_share (token),
    kind    text    not null,
    scope   text    not null default '',
    value   text    not null,
    since   integer not null
) strict, without rowid;

create index content_visitor_by_who on content_visitor (kind, scope, value);

-- One row for each time that a link is opened. `dwell_ms` and `depth_percent` only grow. `tell_at`: when what was read is told to the log.
create table content_visit (
    id            text    primary key,
    content       text    not null references content (id),
    share         text    not null references content_share (token),
    visitor       text    not null,
    kind          text,
    scope         text    not null default '',
    value         text,
    opened_at     integer not null,
    dwell_ms      integer not null default 0 check (dwell_ms >= 0),
    depth_percent integer check (depth_percent between 0 and 100),
    tell_at       integer,
    check ((kind is null) = (value is null))
) strict, without rowid;

create index content_visit_by_time on content_visit (content, opened_at, id);
create index content_visit_by_share on content_visit (share);
create index content_visit_by_who on content_visit (kind, scope, value, content) where kind is not null;

-- Who has come back to a content so often that the advisor was told: once.
create table content_revisit (
    content text    not null references content (id),
    kind    text    not null,
    scope   text    not null default '',
    value   text    not null,
    at      integer not null,
    primary key (content, kind, scope, value)
) strict, without rowid;

create index content_revisit_by_who on content_revisit (kind, scope, value);
