-- Tags, features, rules and segments. Written by functions/tagging only.

insert into consumer (name, follows) values ('tagging', 'customers');
