//! Who is who, orders by customer, points.

use super::Check;

/// What must hold.
pub const CHECKS: &[Check] = &[
    Check {
        what: "who was merged leads to who stayed",
        sql: "select own.id from customer own join customer other on other.id = own.survivor where other.survivor <> other.id",
    },
    Check {
        what: "an identity belongs to who stayed",
        sql: "select identity.id || '' from identity join customer on customer.id = identity.customer where customer.survivor <> customer.id",
    },
    Check {
        what: "a customer's first identity is its group's",
        sql: "select customer.id from customer join identity on identity.id = customer.home where identity.customer <> customer.survivor",
    },
    Check {
        what: "what went back of an order is the sum of its refunds",
        sql: "select order_id from customer_order where refunded <> (
                  select coalesce(sum(amount), 0) from customer_refund as own where own.order_id = customer_order.order_id)",
    },
    Check {
        what: "points are what remains of lots, less what is owed",
        sql: "select own.survivor from (
                  select customer, points from point_entry
                  union all select customer, -remains from point_lot
                  union all select customer, points - paid from point_debt)
                join customer own on own.id = customer group by own.survivor having sum(points) <> 0",
    },
    Check {
        what: "what was taken from a lot is written down",
        sql: "select entry || '' from point_lot where points - remains <> (
                  select coalesce(sum(own.points), 0) from point_allocation as own where own.lot = point_lot.entry)",
    },
    Check {
        what: "a redemption costs what its entry took",
        sql: "select redemption.id from redemption join point_entry on seq = entry where -point_entry.points <> redemption.points",
    },
];
