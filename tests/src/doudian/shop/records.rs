//! The full records that the platform's API gives: an order, an after-sale case.

use serde_json::{Value, json};

use super::{CaseStatus, Shop, WISH, tracking_number};

impl Shop {
    /// `data.shop_order_detail` of `order.orderDetail`.
    pub fn detail(&self, id: u64) -> Option<Value> {
        let order = self.orders.get(&id)?;
        let basket = &order.basket;
        let room = basket.room.as_ref();
        let promotions = basket.discount_shop + basket.discount_platform;
        let mut left = promotions;
        let count = basket.goods.len();
        let lines = basket.goods.iter().zip(&order.line_ids).enumerate().map(|(index, (goods, line_id))| {
            let origin = goods.unit_price * i64::from(goods.quantity);
            // By value, the last line taking the rest: the platform's own split, not the system's.
            let share = if index + 1 == count { left } else { promotions * origin / order.goods_amount().max(1) };
            left -= share;
            json!({
                "order_id": line_id.to_string(),
                "parent_order_id": id.to_string(),
                "product_id": line_id / 1000,
                "product_name": goods.title,
                "sku_id": line_id / 1001,
                "out_sku_id": 0,
                "code": goods.code,
                "item_num": goods.quantity,
                "goods_price": goods.unit_price,
                "origin_amount": goods.unit_price,
                "sum_amount": origin,
                "order_amount": origin - share,
                "pay_amount": origin - share,
                "promotion_amount": share,
                "order_status": order.status.code(),
                "room_id": room.map_or(0, |room| room.id),
                "author_id": room.map_or(0, |room| room.author_id),
                "author_name": room.map_or("", |room| room.author_name),
            })
        });
        Some(json!({
            "order_id": id.to_string(),
            "shop_id": self.id,
            "order_status": order.status.code(),
            "main_status": order.status.code(),
            "order_type": 0,
            "create_time": order.created,
            "pay_time": order.paid.unwrap_or(0),
            "ship_time": order.shipped.unwrap_or(0),
            "finish_time": order.finished.unwrap_or(0),
            "update_time": order.updated,
            "order_amount": order.goods_amount() - promotions + basket.freight,
            "pay_type": 2,
            "pay_amount": order.payable(),
            "post_amount": basket.freight,
            "promotion_amount": promotions,
            "promotion_shop_amount": basket.discount_shop,
            "promotion_platform_amount": basket.discount_platform,
            "promotion_talent_amount": 0,
            "tax_amount": 0,
            "doudian_open_id": basket.open_id,
            "encrypt_post_receiver": "##ciphertext==",
            "encrypt_post_tel": "$$ciphertext==",
            "mask_post_tel": "1********00",
            "mask_post_receiver": "测*",
            "buyer_words": WISH,
            "post_addr": {
                "province": {"name": basket.region.0, "id": "1"},
                "city": {"name": basket.region.1, "id": "2"},
                "encrypt_detail": "##ciphertext==",
            },
            "logistics_info": order.shipped.map_or(json!([]), |at| json!([{
                "tracking_no": tracking_number(id), "company": "shunfeng", "company_name": "顺丰速运", "ship_time": at,
            }])),
            "sku_order_list": lines.collect::<Vec<_>>(),
        }))
    }

    /// `data` of `afterSale.Detail`.
    pub fn case_detail(&self, id: u64) -> Option<Value> {
        let case = self.cases.get(&id)?;
        let refunded = case.status == CaseStatus::Refunded;
        Some(json!({
            "order_info": {
                "shop_order_id": case.order,
                "sku_order_infos": [{"sku_order_id": case.line}],
            },
            "process_info": {
                "after_sale_info": {
                    "after_sale_id": id,
                    "after_sale_status": case.status.code(),
                    "after_sale_type": self.case_type(case),
                    "after_sale_apply_count": 1,
                    "refund_status": if refunded { 3 } else { 1 },
                    "refund_amount": case.amount,
                    "refund_total_amount": case.amount,
                    "refund_post_amount": 0,
                    "refund_time": if refunded { case.updated } else { 0 },
                    "apply_time": case.applied,
                    "update_time": case.updated,
                    "reason_code": 1,
                },
            },
        }))
    }
}
