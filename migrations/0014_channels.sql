-- Channels: codes, reception, contacts, welcomes. Written by functions/channels only.
-- Times are Unix milliseconds UTC; days are numbers, days since 1970-01-01 in the merchant's calendar. `staff` is WeCom's userid, which is the merchant's
-- number of a member of staff; `contact` is WeCom's external_userid, `open_id` the Official Account's openid.

insert into consumer (name, follows) values ('channels', 'customers');

-- Where customers come from, as the merchant names it: `metro-posters`, `live-room-1`.
create table channel (
    name       text    primary key check (name <> '' and length(name) <= 64),
    label      text    not null,
    created_at integer not null
) strict, without rowid;

-- A code that is scanned, or a link. `plan` is the document that people write (functions/channels/src/code.rs). `state` is what comes back with who
-- came by it: the contact way's state, the QR scene, the path of `/q/…`. `asked` is what the platform was asked to have last; `config_id`, `url` what it
-- answered.
create table channel_code (
    id         text    primary key,
    channel    text    not null references channel (name),
    kind       text    not null check (kind in ('contact_way', 'assigned', 'group_way', 'account', 'account_temporary', 'store', 'link')),
    name       text    not null,
    state      text    not null unique check (length(state) between 1 and 24),
    store      text    not null check (store like '/%'),
    plan       text    not null check (json_valid(plan)),
    version    integer not null default 1,
    asked      text,
    config_id  text,
    url        text,
    trouble    text,
    expires_at integer,
    created_at integer not null,
    changed_at integer not null,
    retired_at integer
) strict;

-- The list is paged by (created_at, id), newest first.
create index channel_code_by_time on channel_code (created_at, id);
create index channel_code_by_channel on channel_code (channel, created_at, id);

-- One contact way for each receiver of a code that assigns its scanners itself.
create table channel_code_way (
    code      text not null references channel_code (id),
    staff     text not null,
    state     text not null unique,
    config_id text,
    url       text,
    asked     integer not null default 0 check (asked in (0, 1)),
    primary key (code, staff)
) strict, without rowid;

-- A scanner who was sent to a member of staff, and has not added yet: holds a place under the daily cap until `until`.
create table reception_turn (
    id      integer primary key,
    code    text    not null references channel_code (id),
    staff   text    not null,
    day     integer not null,
    visitor text    not null,
    until   integer not null,
    added   integer not null default 0 check (added in (0, 1))
) strict;

create index reception_turn_by_day on reception_turn (code, day, staff, until);
create index reception_turn_by_visitor on reception_turn (visitor, code);

-- One row for each who ever opened `/q/…`, by day.
create table code_scan (
    code  text    not null references channel_code (id),
    day   integer not null,
    scans integer not null check (scans > 0),
    primary key (code, day)
) strict, without rowid;

-- Who is whose contact. `since`: when it began last.
create table contact (
    staff      text    not null,
    contact    text    not null,
    since      integer not null,
    half       integer not null default 0 check (half in (0, 1)),
    code       text    references channel_code (id),
    removed_at integer,
    removed_by text    check (removed_by in ('customer', 'staff', 'handover')),
    primary key (contact, staff),
    check ((removed_at is null) = (removed_by is null))
) strict, without rowid;

create index contact_by_staff on contact (staff, contact) where removed_at is null or removed_by = 'customer';

-- A customer counts once for a code and a member of staff, also when added again.
create table code_contact (
    code     text    not null references channel_code (id),
    staff    text    not null,
    contact  text    not null,
    day      integer not null,
    at       integer not null,
    primary key (code, staff, contact)
) strict, without rowid;

create index code_contact_by_day on code_contact (code, day, staff);

-- What is known of a contact besides. The name is sealed.
create table contact_detail (
    contact  text    primary key,
    union_id text,
    name     blob,
    asked_at integer not null
) strict, without rowid;

-- One row for each who was to be welcomed (by welcome code, by callback where none came), and how it ended. `staff` is null for followers of an account.
create table welcome (
    id         integer primary key,
    digest     blob    not null unique check (length(digest) = 32),
    code       text    references channel_code (id),
    staff      text,
    kind       text    not null,
    scope      text    not null default '',
    value      text    not null,
    outbox_id  text    unique,
    added_at   integer not null,
    came_at    integer not null,
    ended_at   integer,
    outcome    text    check (outcome in ('sent', 'sent_as_message', 'already_welcomed', 'missed', 'refused', 'no_code', 'nothing')),
    check ((ended_at is null) = (outcome is null))
) strict;

create index welcome_by_code on welcome (code, came_at);

-- Group chats of customers.
create table group_chat (
    id      text    primary key,
    name    text,
    owner   text,
    members integer not null default 0 check (members >= 0),
    version text,
    gone_at integer
) strict, without rowid;

create table group_chat_member (
    group_chat text    not null references group_chat (id),
    member     text    not null,
    code       text    references channel_code (id),
    joined_at  integer not null,
    primary key (group_chat, member)
) strict, without rowid;

-- What people wrote to accounts, for conversations. The text is sealed.
create table inbound_message (
    event_id text    primary key,
    account  text    not null,
    kind     text    not null,
    value    text    not null,
    form     text    not null,
    sealed   blob,
    at       integer not null
) strict, without rowid;

create index inbound_message_by_who on inbound_message (kind, value, at);

-- Whose an identity is, as customer.identified last told.
create table channel_person (
    kind     text not null,
    scope    text not null default '',
    value    text not null,
    customer text not null,
    primary key (kind, scope, value)
) strict, without rowid;

create index channel_person_by_customer on channel_person (customer);

-- Who came by a code before anybody knew whose identity it is: the code's tags wait for that.
create table code_tagging (
    kind  text    not null,
    scope text    not null default '',
    value text    not null,
    code  text    not null references channel_code (id),
    at    integer not null,
    primary key (kind, scope, value, code)
) strict, without rowid;

-- Pictures and fonts that the merchant has uploaded for codes and posters.
create table material (
    name       text    primary key,
    bytes      blob    not null check (length(bytes) between 1 and 2097152),
    type       text    not null check (type in ('image', 'font')),
    created_at integer not null
) strict, without rowid;

-- What posters look like. `template` is functions/channels/src/picture/poster.rs.
create table poster (
    name       text    primary key,
    template   text    not null check (json_valid(template)),
    background text    references material (name),
    logo       text    references material (name),
    font       text    references material (name),
    changed_at integer not null
) strict, without rowid;
