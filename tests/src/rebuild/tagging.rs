//! What tagging makes of the log: all that its consumer writes.

use super::{Book, Function, Reason};

/// Of a rule the log says when it is to be put to work, and not in which version.
const RULES: Reason = Reason {
    why: "a rule or a segment was changed or retired after it was put to work",
    sql: "select 1 from tag_rule_version where version > 1
          union all select 1 from tag_rule join tagging_rule using (id) where active is null
          union all select 1 from segment where revision > 1 or retired_at is not null",
};

/// An order counts by what the catalogue says when it is applied.
const CATALOGUE: Reason = Reason {
    why: "the catalogue was changed after the first order",
    sql: "select 1 from product where updated_at > (select min(time) from event where type = 'order.paid')",
};

pub const FUNCTION: Function = Function {
    name: "tagging",
    router: tagging::router,
    passes: &[],
    empty: "
        delete from tagging_engine; delete from tagging_customer; delete from customer_tag; delete from tagging_order;
        delete from subject; delete from tagging_rule; delete from segment_member; delete from tagging_rfm;
        delete from rfm_limits; delete from rfm_figure; update tag set closed = 0;",
    books: &[
        Book {
            what: "subject",
            rows: "select json_array(kind, scope, iif(value like 'erased %', 'erased', value), customer, json(state)) from subject",
            unless: &[CATALOGUE],
        },
        Book {
            what: "tagging_order",
            rows: "select json_array(order_id, kind, scope, iif(value like 'erased %', 'erased', value), json(booked))
                     from tagging_order left join subject on subject.id = tagging_order.subject",
            unless: &[CATALOGUE],
        },
        Book {
            what: "tagging_customer",
            rows: "select json_array(id, survivor, part_of, stage, json(attributes)) from tagging_customer",
            unless: &[],
        },
        Book {
            what: "tagging_customer, what holds",
            rows: "select json_array(id, json(matched), due) from tagging_customer",
            unless: &[RULES, CATALOGUE],
        },
        Book { what: "tagging_engine", rows: "select json_array(day, revision) from tagging_engine", unless: &[RULES] },
        Book {
            what: "customer_tag",
            rows: "select json_array(customer, tag, rule, present, version, event, by, since, until, lasting, json(seen)) from customer_tag",
            unless: &[RULES, CATALOGUE],
        },
        Book {
            what: "segment_member",
            rows: "select json_array(segment, customer, since) from segment_member",
            unless: &[RULES, CATALOGUE],
        },
        Book {
            what: "tagging_rule",
            rows: "select json_array(id, kind, version, definition, cursor, done, total, finished_at, members) from tagging_rule",
            unless: &[RULES, CATALOGUE],
        },
        Book { what: "tag, which are retired in the log", rows: "select json_array(id, closed) from tag", unless: &[] },
        Book {
            what: "rfm_limits",
            rows: "select json_array(seq, version, json(limits), buyers, since) from rfm_limits",
            unless: &[CATALOGUE],
        },
        Book {
            what: "tagging_rfm, rfm_figure",
            rows:
                "select json_array(version, round, phase, day, span, cursor, done, total, finished_at) from tagging_rfm
                   union all
                   select json_array(customer, round, recency, frequency, monetary) from rfm_figure",
            unless: &[CATALOGUE],
        },
        Book {
            what: "what rules have told the log",
            rows: "select json_array(type, subject, json(data)) from told
                    where type = 'rule.matched' or (type in ('tag.added', 'tag.removed') and data ->> 'by' is null)",
            unless: &[RULES, CATALOGUE],
        },
    ],
};
