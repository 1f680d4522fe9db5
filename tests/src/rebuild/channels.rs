//! What channels make of the log: touches and attribution, fission, whose an identity is and which tags customers have.

use super::{Book, Function};

pub const FUNCTION: Function = Function {
    name: "channels",
    router: channels::router,
    // Answers of WeCom and questions to it: what comes of them is in the log as events of their own.
    passes: &[
        "contacts.due",
        "follow_up.due",
        "handover.begun",
        "handover.result_due",
        "outbox.failed",
        "outbox.succeeded",
        "reception.due",
        "wecom.marks_due",
        "wecom.tags_changed",
        "welcome.result_due",
    ],
    empty: "
        delete from touch_time; delete from touch; delete from touch_bond; delete from touch_message;
        delete from attribution; delete from attributed_order; delete from attributed_refund;
        update attribution_setting set window_days = 30, half_life_days = 7, revision = 0, finished = 1;
        delete from channel_person; delete from channel_merge; delete from channel_customer_tag; delete from code_tagging;
        delete from fission_help; delete from fission_reward; delete from fission_device; delete from acquaintance;
        update fission_participant set parent = null, depth = 0, helps = 0;",
    books: &[
        Book {
            what: "touch",
            rows: "select json_array(kind, scope, iif(kind = 'erased', '', value), person, channel, code, staff, store, at, added_at, added_day,
                                     replied_day, lost_day) from touch",
            unless: &[],
        },
        Book {
            what: "touch_time",
            rows: "select json_array(kind, scope, iif(kind = 'erased', '', value), person, channel, code, staff, touch_time.at,
                                     touch_time.store, joins)
                     from touch_time join touch on touch.id = touch_time.touch",
            unless: &[],
        },
        Book {
            what: "touch_bond",
            rows: "select json_array(kind, scope, value, staff, added_at, removed_at, removed_day) from touch_bond",
            unless: &[],
        },
        Book {
            what: "touch_message",
            rows: "select json_array(kind, scope, value, day, person, last_at) from touch_message",
            unless: &[],
        },
        Book {
            what: "attributed_order",
            rows: "select json_array(order_id, kind, scope, value, person, paid_at, day, paid, refunded, worth, is_first) from attributed_order",
            unless: &[],
        },
        Book {
            what: "attributed_refund",
            rows: "select json_array(refund_id, order_id, amount) from attributed_refund",
            unless: &[],
        },
        Book {
            what: "attribution",
            rows: "select json_array(order_id, model, part, channel, code, store, staff, day, amount, leads) from attribution",
            unless: &[],
        },
        Book {
            what: "attribution_setting",
            rows: "select json_array(window_days, half_life_days, revision, finished) from attribution_setting",
            unless: &[],
        },
        Book {
            what: "channel_person",
            rows: "select json_array(kind, scope, value, customer) from channel_person",
            unless: &[],
        },
        Book {
            what: "channel_merge",
            rows: "select json_array(customer, survivor) from channel_merge",
            unless: &[],
        },
        Book {
            what: "channel_customer_tag",
            rows: "select json_array(customer, tag, present, word, at) from channel_customer_tag",
            unless: &[],
        },
        Book {
            what: "code_tagging",
            rows: "select json_array(kind, scope, value, code, at) from code_tagging",
            unless: &[],
        },
        Book {
            what: "acquaintance",
            rows: "select json_array(kind, scope, value, staff, first_at, left_at) from acquaintance",
            unless: &[],
        },
        Book {
            what: "fission_participant",
            rows: "select json_array(id, parent, depth, helps) from fission_participant",
            unless: &[],
        },
        Book {
            what: "fission_help",
            rows: "select json_array(participant, kind, scope, value, staff, at, state, reason, became) from fission_help",
            unless: &[],
        },
        Book {
            what: "fission_reward",
            rows: "select json_array(participant, level, state, at) from fission_reward",
            unless: &[],
        },
        Book {
            what: "fission_device",
            rows: "select json_array(fission, device, kind, scope, value) from fission_device",
            unless: &[],
        },
        Book {
            what: "what fission has told the log",
            rows: "select json_array(type, subject, json(data)) from told
                    where type in ('fission.helped', 'fission.rewarded', 'fission.reward_voided')",
            unless: &[],
        },
    ],
};
