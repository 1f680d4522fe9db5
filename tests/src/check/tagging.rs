//! Tags and segments, and that tagging knows who is who.

use super::Check;

/// What must hold.
pub const CHECKS: &[Check] = &[
    Check {
        what: "a segment counts its members",
        sql: "select id from tagging_rule where kind = 'segment'
                 and members <> (select count(*) from segment_member where segment = tagging_rule.id)",
    },
    Check {
        what: "members of segments are customers of their own",
        sql: "select segment || ' ' || customer from segment_member join tagging_customer on id = customer where part_of is not null",
    },
    Check {
        what: "nobody has a tag that was retired",
        sql: "select customer || ' ' || tag from customer_tag join tag on tag.id = tag
               where closed and not exists (select 1 from timer where key = 'tagging.backfill.' || tag.id) and exists (select 1 from settled)",
    },
    Check {
        what: "tagging and customers agree on who is who",
        sql: "select own.id from tagging_customer own join customer on customer.id = own.id
               where own.survivor <> customer.survivor and exists (select 1 from settled)",
    },
    Check {
        what: "tagging and customers agree on whose an identity is",
        sql: "select subject.id || '' from subject
                join identity on identity.kind = subject.kind and identity.scope = subject.scope and identity.value = subject.value
                join tagging_customer on tagging_customer.id = subject.customer
               where survivor <> identity.customer and exists (select 1 from settled)",
    },
];
