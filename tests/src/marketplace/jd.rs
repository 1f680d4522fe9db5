//! JD (京东): one address for all calls, business parameters as JSON in one field of a signed form, money in yuan (cancellations: fen),
//! times as text in GMT+8 or in milliseconds, and nothing pushed.
//!
//! Field names and codes: JOS, commondoc 33 (calls and errors) and 32 (tokens); API `jingdong.pop.order.get` and `.search`,
//! `jingdong.asc.query.list` and `.view`, `jingdong.asc.serviceAndRefund.view`, `jingdong.pop.afs.soa.refundapply.queryPageList`,
//! `.queryById` and `.replyRefund`, `jingdong.ware.stock.sku.set`. After-sale cases of shipped goods are service bills, which take
//! no decision that is simulated here; those of goods that were not shipped are cancellations.

mod question;
mod records;
pub mod sign;

use serde_json::{Value, json};

use super::dialect::{App, Delivery, Dialect, Grant, Incoming, Question, Refused, Reply, Understood, from_gmt8};
use super::push::Message;
use super::shop::{Case, Change, Kind, Shop};

/// The platform.
#[derive(Clone, Copy, Debug)]
pub struct Jd;

/// Minutes by which a timestamp may be off (the platform's rule).
const CLOCK: i64 = 6;
/// Cases that are cancellations.
const CANCELLATIONS: &[Kind] = &[Kind::Unshipped];
/// Cases that are service bills.
const SERVICES: &[Kind] = &[Kind::Return, Kind::RefundOnly];

impl Dialect for Jd {
    fn name(&self) -> &'static str {
        "jd"
    }

    fn app(&self) -> App {
        App::of("0123456789ABCDEF0123456789ABCDEF", "fedcba9876543210fedcba9876543210").with("operator", "test-clerk")
    }

    fn token_life(&self) -> i64 {
        31_536_000
    }

    /// In the platform's order: address, app, signature, clock, method.
    fn understand(&self, app: &App, call: &Incoming<'_>) -> Result<Understood, Refused> {
        if call.path == "/oauth2/refresh_token" {
            return renewal(app, call);
        }
        let fields = call.fields();
        let field = |name: &str| fields.get(name).map_or("", String::as_str);
        if call.path != "/routerjson" || field("v") != "2.0" {
            return Err(Refused::UnknownCall);
        }
        if field("app_key") != app.key {
            return Err(Refused::WrongApp);
        }
        if field("sign") != sign::sign(app, &fields) {
            return Err(Refused::BadSignature);
        }
        // A fraction of the second and the zone may follow.
        call.clock(field("timestamp").get(..19).and_then(from_gmt8), CLOCK)?;
        let param = serde_json::from_str(field("360buy_param_json")).map_err(|_| Refused::BadRequest("no JSON"))?;
        let token = fields.get("access_token").cloned();
        Ok(Understood { question: question::of(field("method"), &param)?, token })
    }

    fn answer(&self, _: &App, shop: &Shop, question: &Question, reply: &Reply<'_>) -> Value {
        let mut content = match reply {
            Reply::Token(token) => {
                return json!({
                    "access_token": token.access,
                    "refresh_token": token.refresh,
                    "expires_in": token.expires_in,
                    "scope": "snsapi_base",
                    "open_id": "test-open-id",
                    "uid": shop.id(),
                    "token_type": "bearer",
                });
            }
            Reply::Order(order) => {
                json!({"orderDetailInfo": {"apiResult": success(), "orderInfo": records::order(shop, order)}})
            }
            Reply::Case(case, order) if case.kind == Kind::Unshipped => json!({"queryResult": {
                "success": true, "totalCount": 1, "result": [{"refundApplyVo": records::cancellation(case, order)}],
            }}),
            Reply::Case(case, order) => {
                json!({"result": {"success": true, "code": "200", "data": records::service(case, order)}})
            }
            Reply::Orders(page) => json!({"searchorderinfo_result": {
                "apiResult": success(),
                "orderTotal": page.total,
                "orderInfoList": page.items.iter().map(|order| records::listed(shop, order)).collect::<Vec<_>>(),
            }}),
            Reply::Cases(page) => {
                let cases = page.items.iter();
                match question {
                    Question::CasesOfOrder(_) => {
                        let refunds: Vec<_> = cases.filter_map(|(case, order)| records::refund(case, order)).collect();
                        json!({"pageResult": {"success": true, "totalCount": refunds.len(), "data": refunds}})
                    }
                    Question::ChangedCasesOf(kinds, _) if *kinds == CANCELLATIONS => json!({"queryResult": {
                        "success": true, "totalCount": page.total,
                        "result": cases.map(|(case, order)| records::cancellation(case, order)).collect::<Vec<_>>(),
                    }}),
                    _ => json!({"pageResult": {
                        "success": true, "totalCount": page.total,
                        "data": cases.map(|(case, order)| records::listed_service(case, order)).collect::<Vec<_>>(),
                    }}),
                }
            }
            Reply::Messages(_) | Reply::Product(_) => json!({}),
            Reply::Done => match question {
                Question::SetStock { sku_id, .. } => json!({"returnType": {"success": true, "code": "200", "obj": {
                    "updateStockResult": [{"data": sku_id, "success": true, "storeId": 0}],
                }}}),
                _ => json!({"replyResult": {"success": true, "errorCode": "0"}}),
            },
        };
        content["code"] = "0".into();
        json!({question::method(question, reply).replace('.', "_") + "_responce": content})
    }

    fn refuse(&self, refused: &Refused) -> Value {
        let (code, message) = match refused {
            Refused::ServerError | Refused::Gateway | Refused::AnswerLost => ("66", "平台连接后端服务不可用"),
            Refused::RateLimited => ("2", "限制时间内调用失败次数"),
            Refused::UnknownCall => ("15", "不存在的方法名"),
            Refused::BadRequest(_) => ("61", "参数值不合法，请参照帮助文档确认！"),
            Refused::WrongApp => ("21", "无效app_key"),
            Refused::BadSignature => ("12", "无效签名"),
            Refused::WrongClock => ("8", "非法的时间戳参数"),
            Refused::BadToken => ("19", "无效access_token"),
            // The token's address answers without the wrapper of the API.
            Refused::NotAuthorised => return json!({"code": 405, "msg": "refresh_token不存在或已过期"}),
            Refused::NotFound => ("71", "当前的ID不属于此商家"),
            Refused::Impossible(_) => ("10100021", "状态不允许此操作"),
        };
        json!({"error_response": {"code": code, "zh_desc": message, "en_desc": "refused"}})
    }

    fn case_name(&self, case: &Case) -> String {
        if CANCELLATIONS.contains(&case.kind) { format!("cancel:{}", case.id) } else { case.id.clone() }
    }

    fn delivery(&self) -> Delivery {
        Delivery::None
    }

    fn messages(&self, _: &Shop, _: &Change) -> Vec<Message> {
        Vec::new()
    }
}

fn success() -> Value {
    json!({"success": "true", "chineseErrCode": "成功", "englishErrCode": "success", "numberCode": 0})
}

/// The address of tokens wants the secret itself and no signature.
fn renewal(app: &App, call: &Incoming<'_>) -> Result<Understood, Refused> {
    let query = call.parameters();
    let parameter = |name: &str| query.get(name).map_or("", String::as_str);
    if parameter("app_key") != app.key || parameter("app_secret") != app.secret {
        return Err(Refused::WrongApp);
    }
    if parameter("grant_type") != "refresh_token" {
        return Err(Refused::BadRequest("grant_type"));
    }
    let grant = Grant::Refresh(parameter("refresh_token").to_owned());
    Ok(Understood { question: Question::Token(grant), token: None })
}

#[cfg(test)]
mod tests;
