//! Codes, fission, attribution.

use super::Check;

/// What must hold.
pub const CHECKS: &[Check] = &[
    Check {
        what: "an order's shares sum to its worth in every model",
        sql: "select attributed_order.order_id || ' ' || coalesce(model, '') from attributed_order
                left join attribution using (order_id)
               group by attributed_order.order_id, model having coalesce(sum(amount), 0) <> worth",
    },
    Check {
        what: "an order counts in one row of each model",
        sql: "select order_id || ' ' || model from attribution group by order_id, model having sum(leads) <> 1",
    },
    Check {
        what: "what an order is worth is what was paid less what went back",
        sql: "select order_id from attributed_order where worth <> max(paid - refunded, 0)
                  or refunded <> (select coalesce(sum(amount), 0) from attributed_refund own where own.order_id = attributed_order.order_id)",
    },
    Check {
        what: "a person has one first order",
        sql: "select person from attributed_order where is_first = 1 and person <> 'erased' group by person having count(*) > 1",
    },
    Check {
        what: "attribution and customers agree on what was paid",
        sql: "select order_id from attributed_order as own join customer_order as other using (order_id)
               where (own.paid <> other.paid or own.refunded <> other.refunded) and exists (select 1 from settled)",
    },
    Check {
        what: "an inviter's helps are counted",
        sql: "select id from fission_participant where helps <> (
                  select count(*) from fission_help where participant = fission_participant.id and state = 'counted')",
    },
    Check {
        what: "channels and customers agree on whose an identity is",
        sql: "select own.value from channel_person own
                join identity on identity.kind = own.kind and identity.scope = own.scope and identity.value = own.value
                join customer on customer.id = own.customer
               where survivor <> identity.customer and exists (select 1 from settled)",
    },
];
