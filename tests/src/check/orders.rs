//! Orders and stock.

use super::Check;

/// What must hold.
pub const CHECKS: &[Check] = &[
    Check {
        what: "what is reserved of a SKU is what orders hold of it",
        sql: "select sku from stock where reserved <> (
                  select coalesce(sum(quantity), 0) from stock_reservation as own where own.sku = stock.sku and own.state = 'reserved')",
    },
    Check {
        what: "an order that is closed holds no stock",
        sql: "select order_id || ' ' || sku from stock_reservation join \"order\" on id = order_id
               where state in ('reserved', 'short') and status = 'closed'",
    },
    Check {
        what: "an order's step is told once",
        sql: "select subject || ' ' || type from event
               where type in ('order.created', 'order.paid', 'order.shipped', 'order.signed', 'order.completed', 'order.closed')
               group by subject, type having count(*) > 1",
    },
    Check {
        what: "a refund's step is told once",
        sql: "select (data ->> 'refund_id') || ' ' || type from event where type like 'refund.%'
               group by data ->> 'refund_id', type having count(*) > 1",
    },
];
