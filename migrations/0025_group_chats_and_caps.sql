-- Why a member of a group chat is about to be found gone, as a callback has told: the list of members that is read next does not say it.
alter table group_chat_member add column leaving text check (leaving in ('left', 'removed'));

-- The code whose daily caps hold for this one too: inviters' codes take from the places of their campaign's. Null where its own do.
alter table channel_code add column caps_of text references channel_code (id);
create index channel_code_by_caps on channel_code (caps_of, id) where caps_of is not null;

-- The code whose caps a contact counts for.
alter table code_contact add column caps_of text references channel_code (id);
update code_contact set caps_of = code;
drop index code_contact_by_day;
create index code_contact_by_caps on code_contact (caps_of, day, staff);
