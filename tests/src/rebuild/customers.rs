//! What customers make of the log: who is who, timelines, orders, stages, membership.

use super::{Book, Function, Reason};

/// The log keeps the identities of who was erased, the tables do not.
const ERASED: Reason = Reason { why: "a person was erased", sql: "select 1 from customer where erased_at is not null" };

/// Who is who is decided when people decide it, and not where the consumer stands in the log.
const DECIDED: Reason = Reason { why: "people have decided who is who", sql: "select 1 from identity_decision" };

/// Handovers and relations by the API move relations at once.
const MOVED: Reason = Reason {
    why: "people have handed customers over, or entered relations",
    sql: "select 1 from handover union all select 1 from relation_change where actor is not null",
};

/// What people spend is taken from lots at once.
const SPENT: Reason = Reason {
    why: "points were spent, given back or entered by people",
    sql: "select 1 from point_entry where kind in ('spend', 'return', 'adjust')",
};

pub const FUNCTION: Function = Function {
    name: "customers",
    router: customers::router,
    // What they do was done by people's words, which are in tables and not in the log.
    passes: &["handover.answered", "handover.due", "import.due"],
    empty: "
        delete from identity; delete from identity_fact; delete from identity_fact_member; delete from identity_hint;
        delete from identity_decision; delete from customer; delete from customer_merge; delete from customer_conflict;
        delete from customer_activity; delete from customer_order; delete from customer_refund; delete from customer_stage;
        delete from customer_attribute; delete from customer_name_prefix; delete from customer_consent;
        delete from relation; delete from relation_change; delete from handover_item; delete from handover;
        delete from member_order; delete from member_refund; delete from member_level; delete from member_program;
        delete from point_allocation; delete from point_debt; delete from point_lot; delete from point_entry;
        update member_card set customer = null;
        delete from intake; delete from contact_detail;",
    books: &[
        Book {
            what: "identity",
            rows: "select json_array(kind, scope, value, first_seen) from identity",
            unless: &[ERASED],
        },
        Book {
            what: "identity, signs",
            rows: "select json_array(kind, scope, value, lead_at, contact_at, lost_at) from identity",
            unless: &[ERASED, DECIDED, MOVED],
        },
        Book {
            what: "identity, whose each is",
            rows: "select json_array(kind, scope, value, customer) from identity",
            unless: &[ERASED, DECIDED],
        },
        Book {
            what: "identity_fact",
            rows: "select json_array(hex(digest), at, kind, scope, value) from identity_fact
                     join identity_fact_member on fact = identity_fact.id join identity on identity.id = identity",
            unless: &[ERASED],
        },
        Book {
            what: "identity_hint",
            rows: "select json_array(hint.kind, hint.value, identity.kind, scope, identity.value, at)
                     from identity_hint as hint join identity on identity.id = hint.identity",
            unless: &[ERASED],
        },
        Book {
            what: "customer",
            rows: "select json_array(customer.id, survivor, kind, scope, value, created_at)
                     from customer join identity on identity.id = home",
            unless: &[ERASED, DECIDED],
        },
        Book {
            what: "customer, stages",
            rows: "select json_array(id, stage, stage_since) from customer",
            unless: &[ERASED, DECIDED, MOVED],
        },
        Book {
            what: "customer_stage",
            rows: "select json_array(customer, seq, at, from_, to_, cause) from customer_stage",
            unless: &[ERASED, DECIDED, MOVED],
        },
        Book {
            what: "customer_merge",
            rows: "select json_array(customer, other, what, at) from customer_merge",
            unless: &[ERASED, DECIDED],
        },
        Book {
            what: "customer_conflict",
            rows: "select json_array(id, state, opened_at) from customer_conflict",
            unless: &[ERASED, DECIDED],
        },
        Book {
            what: "customer_activity",
            rows: "select json_array(kind, scope, value, customer_activity.at, seq, type, json(summary))
                     from customer_activity join identity on identity.id = identity
                    where type not in ('relation.changed', 'follow_up.recorded')",
            unless: &[ERASED],
        },
        Book {
            what: "customer_order",
            rows: "select json_array(order_id, kind, scope, value, paid_at, paid, refunded)
                     from customer_order join identity on identity.id = identity",
            unless: &[ERASED],
        },
        Book {
            what: "customer_refund",
            rows: "select json_array(refund_id, order_id, amount) from customer_refund",
            unless: &[],
        },
        Book {
            what: "relation",
            rows: "select json_array(customer, staff, state, since, ended, ended_by) from relation",
            unless: &[ERASED, DECIDED, MOVED],
        },
        Book {
            what: "relation_change",
            rows: "select json_array(customer, staff, change, by, at) from relation_change",
            unless: &[ERASED, DECIDED, MOVED],
        },
        Book {
            what: "member_order",
            rows: "select json_array(order_id, customer, seq, paid_at, json(body), rules, level, earned, spend) from member_order",
            unless: &[ERASED, DECIDED],
        },
        Book {
            what: "member_refund",
            rows: "select json_array(refund_id, order_id, state, claim) from member_refund",
            unless: &[],
        },
        Book {
            what: "member_level",
            rows: "select json_array(customer, level, since, at) from member_level",
            unless: &[ERASED, DECIDED],
        },
        Book {
            what: "member_program",
            rows: "select json_array(customer, program, level, at) from member_program",
            unless: &[ERASED, DECIDED],
        },
        Book {
            what: "member_card",
            rows: "select json_array(card, customer) from member_card",
            unless: &[ERASED, DECIDED],
        },
        Book {
            what: "point_entry",
            rows: "select json_array(customer, kind, points, at, order_id) from point_entry",
            unless: &[ERASED, DECIDED, SPENT],
        },
        Book {
            what: "point_lot",
            rows: "select json_array(customer, order_id, points, remains, expired, expires_at, remind_at) from point_lot",
            unless: &[ERASED, DECIDED, SPENT],
        },
        Book {
            what: "point_debt",
            rows: "select json_array(customer, points, paid) from point_debt",
            unless: &[ERASED, DECIDED, SPENT],
        },
        Book {
            what: "who is who as the log was told",
            rows: "select json_array(type, subject, json(data)) from told
                    where type in ('customer.identified', 'customer.merged', 'customer.split', 'customer.conflict')",
            unless: &[ERASED, DECIDED],
        },
        Book {
            what: "stages as the log was told",
            rows: "select json_array(subject, json(data)) from told where type = 'customer.stage_changed'",
            unless: &[ERASED, DECIDED, MOVED],
        },
    ],
};
