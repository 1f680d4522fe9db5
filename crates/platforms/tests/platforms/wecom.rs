//! WeCom's events to notices, and conversations with it. Companies, staff and contacts are invented or from public samples.

use domain::{RelationSide, Secret, UnixMs, WelcomeOutcome};
use platforms::marketplace::{ApiError, App, Request};
use platforms::wechat::talk::Talk;
use platforms::wecom::answer::{Answer, ContactKind, MessageTask, ReceiptStatus, TransferStatus};
use platforms::wecom::callback::{Notice, read};
use platforms::wecom::{self, Ask, Attachment, ContactWay, Conversation, JoinWay, Message};
use proptest::prelude::*;
use serde_json::{Value, json};

const CONTACT: &str = "woAJ2GCAAAXtWyujaWJHDDGi0mACH71w";

fn own(event: &str, fields: &str) -> String {
    format!(
        "<xml><ToUserName><![CDATA[toUser]]></ToUserName><FromUserName><![CDATA[sys]]></FromUserName>\
         <CreateTime>1403610513</CreateTime><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[{event}]]></Event>{fields}</xml>"
    )
}

fn notice(event: &str, fields: &str) -> Notice {
    read(&own(event, fields)).unwrap().notice
}

fn pair() -> String {
    format!("<UserID><![CDATA[zhangsan]]></UserID><ExternalUserID>{CONTACT}</ExternalUserID>")
}

#[test]
fn contacts_come_change_and_go() {
    let told = |change: &str, more: &str| {
        let fields = format!("<ChangeType><![CDATA[{change}]]></ChangeType>{}{more}", pair());
        notice("change_external_contact", &fields)
    };
    let (staff, contact) = ("zhangsan".to_owned(), CONTACT.to_owned());
    let added = |half, state: Option<&str>, code: Option<&str>| Notice::ContactAdded {
        half,
        staff: staff.clone(),
        contact: contact.clone(),
        state: state.map(str::to_owned),
        welcome_code: code.map(str::to_owned),
    };
    let came = "<State>teststate</State><WelcomeCode><![CDATA[WELCOMECODE]]></WelcomeCode>";
    assert_eq!(told("add_external_contact", came), added(false, Some("teststate"), Some("WELCOMECODE")));
    assert_eq!(told("add_half_external_contact", "<State/>"), added(true, None, None));
    let removed =
        |by, by_transfer| Notice::ContactRemoved { by, staff: staff.clone(), contact: contact.clone(), by_transfer };
    assert_eq!(told("del_external_contact", ""), removed(RelationSide::Staff, false));
    let transferred = "<Source><![CDATA[DELETE_BY_TRANSFER]]></Source>";
    assert_eq!(told("del_external_contact", transferred), removed(RelationSide::Staff, true));
    assert_eq!(told("del_follow_user", ""), removed(RelationSide::Customer, false));
    let reason = "customer_refused".to_owned();
    let failed = Notice::TransferFailed { staff: staff.clone(), contact: contact.clone(), reason };
    assert_eq!(told("transfer_fail", "<FailReason>customer_refused</FailReason>"), failed);
    let edited = Notice::ContactEdited { staff: staff.clone(), contact: contact.clone(), state: None };
    assert_eq!(told("edit_external_contact", ""), edited);
}

#[test]
fn an_app_of_a_provider_says_the_same_by_other_names() {
    let xml = format!(
        "<xml><SuiteId>ww4asffe99e54c0f4c</SuiteId><AuthCorpId>wxf8b4f85f3a794e77</AuthCorpId>\
         <InfoType>change_external_contact</InfoType><TimeStamp>1403610513</TimeStamp>\
         <ChangeType>del_external_contact</ChangeType>{}</xml>",
        pair()
    );
    let json = json!({ "SuiteId": "ww4asffe99e54c0f4c", "AuthCorpId": "wxf8b4f85f3a794e77",
        "InfoType": "change_external_contact", "TimeStamp": 1_403_610_513, "ChangeType": "del_external_contact",
        "UserID": "zhangsan", "ExternalUserID": CONTACT });
    for text in [xml, json.to_string()] {
        let received = read(&text).unwrap();
        assert_eq!((received.at, received.corp_id.as_str()), (at(1_403_610_513), "wxf8b4f85f3a794e77"));
        assert!(matches!(received.notice, Notice::ContactRemoved { by: RelationSide::Staff, .. }), "{text}");
    }
}

fn at(seconds: i64) -> UnixMs {
    UnixMs::from_seconds(seconds).unwrap()
}

#[test]
fn groups_tell_who_came_and_who_left_in_either_form_of_the_list() {
    let update = |detail: &str, list: &str| {
        let fields = format!(
            "<ChatId>wr1</ChatId><ChangeType>update</ChangeType><UpdateDetail>{detail}</UpdateDetail>\
             <JoinScene>3</JoinScene><QuitScene>0</QuitScene><MemChangeCnt>2</MemChangeCnt>{list}\
             <LastMemVer>9c</LastMemVer><CurMemVer>71</CurMemVer>"
        );
        match notice("change_external_chat", &fields) {
            Notice::GroupChanged {
                joined, left, join_scene, quit_scene, member_version, last_member_version, ..
            } => {
                assert_eq!((member_version.as_deref(), last_member_version.as_deref()), (Some("71"), Some("9c")));
                (joined.join(" "), left.join(" "), join_scene, quit_scene)
            }
            other => panic!("{other:?}"),
        }
    };
    let both = ("Jack Rose".to_owned(), String::new(), Some(3), None);
    let lists = ["<Item>Jack</Item><Item>Rose</Item>", "Jack,Rose", "<![CDATA[Jack, Rose,]]>"];
    for list in lists {
        assert_eq!(update("add_member", &format!("<MemChangeList>{list}</MemChangeList>")), both, "{list}");
    }
    let one = update("del_member", "<MemChangeList><Item>Jack</Item></MemChangeList>");
    assert_eq!(one, (String::new(), "Jack".to_owned(), None, Some(0)));
    let nobody = (String::new(), String::new(), None, None);
    assert_eq!(update("change_name", "<MemChangeList><Item>Jack</Item></MemChangeList>"), nobody);
    assert_eq!(update("add_member", ""), (String::new(), String::new(), Some(3), None));
    let group = "wr1".to_owned();
    for (change, expected) in [
        ("create", Notice::GroupCreated { group: group.clone() }),
        ("dismiss", Notice::GroupDismissed { group: group.clone() }),
        ("painted", Notice::Other { kind: "change_external_chat.painted".to_owned() }),
    ] {
        let fields = format!("<ChatId>wr1</ChatId><ChangeType>{change}</ChangeType>");
        assert_eq!(notice("change_external_chat", &fields), expected);
    }
    let json = json!({ "ToUserName": "ww1", "CreateTime": "1403610513", "MsgType": "event", "ChatId": "wr1",
        "Event": "change_external_chat", "ChangeType": "update", "UpdateDetail": "add_member", "JoinScene": 3,
        "MemChangeList": ["Jack", "Rose"] });
    let Notice::GroupChanged { joined, join_scene, .. } = read(&json.to_string()).unwrap().notice else { panic!() };
    assert_eq!((joined.len(), join_scene), (2, Some(3)));
}

#[test]
fn tags_messages_and_what_is_not_known() {
    let tag = |kind: &str, change: &str| {
        let fields = format!("<Id>et1</Id><TagType>{kind}</TagType><ChangeType>{change}</ChangeType>");
        notice("change_external_tag", &fields)
    };
    for (kind, change, group) in [("tag", "create", false), ("tag_group", "delete", true), ("tag", "shuffle", true)] {
        let expected = Notice::TagsChanged { id: Some("et1".to_owned()), group, change: change.to_owned() };
        assert_eq!(tag(kind, change), expected);
    }
    let hello = |json: bool| {
        if json {
            json!({ "ToUserName": "ww1", "FromUserName": "mycreate", "CreateTime": 1, "MsgType": "text",
                "Content": "hello", "MsgId": 4_561_255_354_251_345_929_i64, "AgentID": 218 })
            .to_string()
        } else {
            "<xml><ToUserName>ww1</ToUserName><FromUserName>mycreate</FromUserName><CreateTime>1</CreateTime>\
             <MsgType>text</MsgType><Content><![CDATA[hello]]></Content><MsgId>4561255354251345929</MsgId></xml>"
                .to_owned()
        }
    };
    let written = Notice::Message {
        staff: "mycreate".to_owned(),
        form: "text".to_owned(),
        text: Some(Secret::new("hello".to_owned())),
        id: Some("4561255354251345929".to_owned()),
    };
    assert_eq!(read(&hello(true)).unwrap().notice, written);
    assert_eq!(read(&hello(false)).unwrap().notice, written);
    for (event, fields, kind) in [
        ("change_contact", "<ChangeType>create_user</ChangeType>", "change_contact.create_user"),
        ("msgaudit_notify", "", "msgaudit_notify"),
        // Of a known kind, but without what it must have.
        (
            "change_external_contact",
            "<ChangeType>add_external_contact</ChangeType>",
            "change_external_contact.add_external_contact",
        ),
    ] {
        assert_eq!(notice(event, fields), Notice::Other { kind: kind.to_owned() });
    }
    let ticket = "<xml><SuiteId>ww4</SuiteId><InfoType>suite_ticket</InfoType><TimeStamp>1</TimeStamp></xml>";
    assert_eq!(read(ticket).unwrap().notice, Notice::Other { kind: "suite_ticket".to_owned() });
    for text in ["", "hello", "<xml/>", "{}", "<xml><CreateTime>1</CreateTime></xml>", "[1]"] {
        assert_eq!(read(text), None, "{text}");
    }
}

fn app() -> App {
    App::of([("corp_id", "ww1"), ("agent_id", "1000002"), ("secret", "invented")])
}

fn body(request: &Request) -> Value {
    serde_json::from_str(&request.body).unwrap_or(Value::Null)
}

/// Talks until the end: the requests, and how it ended. After the last answer the platform says no more than that it is done.
fn talk(ask: Ask, answers: &[Value]) -> (Vec<Request>, Result<Answer, ApiError>) {
    let mut conversation = Conversation::new(ask);
    let mut requests = Vec::new();
    for answer in answers.iter().chain(std::iter::repeat(&json!({ "errcode": 0, "errmsg": "ok" }))) {
        requests.push(conversation.request(&app(), "token"));
        assert!(requests.len() < 20, "no end");
        match conversation.hear(answer.to_string().as_bytes()) {
            Ok(None) => {}
            Ok(Some(answer)) => {
                let kept = serde_json::to_vec(&answer).unwrap();
                assert_eq!(serde_json::from_slice::<Answer>(&kept).unwrap(), answer, "as it is kept");
                return (requests, Ok(answer));
            }
            Err(error) => return (requests, Err(error)),
        }
    }
    unreachable!()
}

fn ok(fields: Value) -> Value {
    let mut answer = json!({ "errcode": 0, "errmsg": "ok" });
    for (name, value) in fields.as_object().unwrap() {
        answer[name] = value.clone();
    }
    answer
}

fn code(code: i64) -> Value {
    json!({ "errcode": code, "errmsg": "said by the platform" })
}

fn way() -> ContactWay {
    ContactWay {
        staff: vec!["zhangsan".to_owned(), "lisi".to_owned()],
        state: "c1".to_owned(),
        remark: "店A".to_owned(),
        skip_verify: true,
        exclusive: true,
        several: true,
    }
}

fn text(text: &str) -> Message {
    Message { text: Some(text.to_owned()), attachments: Vec::new() }
}

fn welcome(said: &str) -> Ask {
    Ask::Welcome {
        welcome_code: "CODE".to_owned(),
        contact: "wm1".to_owned(),
        staff: "zhangsan".to_owned(),
        until: at(20),
        message: text(said),
    }
}

fn person(cursor: &str, staff: &str) -> Value {
    ok(json!({
        "external_contact": { "external_userid": "wm1", "name": "测试顾客甲", "type": 1, "unionid": "oU1" },
        "follow_user": [{ "userid": staff, "remark": "甲姐", "createtime": 1_525_779_812, "add_way": 1, "state": "c1",
            "tags": [{ "group_name": "g", "tag_name": "t", "tag_id": "et1", "type": 1 },
                     { "group_name": "g", "tag_name": "own", "type": 2 }] }],
        "next_cursor": cursor,
    }))
}

#[test]
fn a_contact_way_is_made_changed_and_taken_away() {
    let added = ok(json!({ "config_id": "42b", "qr_code": "http://p.qpic.cn/x" }));
    let (requests, answer) = talk(Ask::AddContactWay { way: way() }, &[added]);
    assert_eq!(requests[0].path_and_query, "/cgi-bin/externalcontact/add_contact_way?access_token=token");
    let made = json!({ "type": 2, "scene": 2, "user": ["zhangsan", "lisi"], "state": "c1", "remark": "店A",
        "skip_verify": true, "is_exclusive": true });
    assert_eq!(body(&requests[0]), made);
    let Ok(Answer::ContactWayAdded(added)) = answer else { panic!("{answer:?}") };
    assert_eq!((added.config_id.as_str(), added.qr_code.as_deref()), ("42b", Some("http://p.qpic.cn/x")));

    let (requests, answer) = talk(Ask::UpdateContactWay { config_id: "42b".to_owned(), way: way() }, &[]);
    assert_eq!(answer, Ok(Answer::Done));
    assert_eq!((&body(&requests[0])["config_id"], &body(&requests[0])["type"]), (&json!("42b"), &Value::Null));
    // One that is gone is as good as one that is taken away.
    for gone in [code(0), code(41_044)] {
        assert_eq!(talk(Ask::DeleteContactWay { config_id: "42b".to_owned() }, &[gone]).1, Ok(Answer::Done));
    }
    let gone = talk(Ask::UpdateContactWay { config_id: "42b".to_owned(), way: way() }, &[code(41_044)]).1;
    assert!(matches!(gone, Err(ApiError::Permanent(_))), "{gone:?}");
}

fn join_way() -> JoinWay {
    JoinWay {
        groups: vec!["wr1".to_owned()],
        state: "c1".to_owned(),
        remark: String::new(),
        auto_create: true,
        base_name: Some("福利群".to_owned()),
        base_id: Some(1),
    }
}

#[test]
fn a_join_way_comes_with_its_code_or_without_but_is_made_once() {
    let added = ok(json!({ "config_id": "9ad" }));
    let found =
        ok(json!({ "join_way": { "config_id": "9ad", "qr_code": "http://p.qpic.cn/y", "chat_id_list": ["wr1"] } }));
    for (second, qr_code) in [(found, Some("http://p.qpic.cn/y")), (code(-1), None)] {
        let (requests, answer) = talk(Ask::AddJoinWay { way: join_way() }, &[added.clone(), second]);
        assert_eq!(requests.len(), 2);
        assert_eq!(body(&requests[0])["auto_create_room"], 1);
        let Ok(Answer::JoinWayAdded(way)) = answer else { panic!("{answer:?}") };
        assert_eq!((way.config_id.as_str(), way.qr_code.as_deref()), ("9ad", qr_code));
    }
}

#[test]
fn of_a_welcome_every_end_is_an_outcome() {
    for (answer, outcome) in [
        (code(0), WelcomeOutcome::Sent),
        (code(41_051), WelcomeOutcome::AlreadyWelcomed),
        (code(41_096), WelcomeOutcome::AlreadyWelcomed),
        (code(41_050), WelcomeOutcome::Missed),
    ] {
        let (requests, end) = talk(welcome("欢迎光临"), &[answer]);
        assert_eq!(end, Ok(Answer::WelcomeSent { outcome }));
        assert_eq!(body(&requests[0]), json!({ "welcome_code": "CODE", "text": { "content": "欢迎光临" } }));
    }
}

#[test]
fn the_name_is_fetched_when_it_is_said_and_lies_in_no_ask() {
    let ask = welcome("{customer}您好");
    let (requests, end) = talk(ask.clone(), &[person("", "zhangsan")]);
    assert_eq!(end, Ok(Answer::WelcomeSent { outcome: WelcomeOutcome::Sent }));
    assert_eq!(requests[0].path_and_query, "/cgi-bin/externalcontact/get?access_token=token&external_userid=wm1");
    assert_eq!(body(&requests[1])["text"]["content"], "测试顾客甲您好");
    assert!(!serde_json::to_string(&ask).unwrap().contains("测试顾客甲"));
    // A welcome without the name is better than none; but a platform that is busy is asked again.
    for refusal in [code(84_061), code(45_009)] {
        let (requests, end) = talk(ask.clone(), &[refusal]);
        assert_eq!((end.is_ok(), &body(&requests[1])["text"]["content"]), (true, &json!("您好")));
    }
    assert!(matches!(talk(ask, &[code(-1)]).1, Err(ApiError::Retryable(_))));
    let remark = |text: &str| Ask::SetRemark {
        staff: "zhangsan".to_owned(),
        contact: "wm1".to_owned(),
        remark: Some(text.to_owned()),
        description: None,
    };
    let (requests, end) = talk(remark("{customer}-一二三四五六七八九十一二三四五六"), &[person("", "zhangsan")]);
    assert_eq!(end, Ok(Answer::Done));
    let said = body(&requests[1])["remark"].as_str().unwrap().to_owned();
    assert_eq!((said.as_str(), said.chars().count()), ("测试顾客甲-一二三四五六七八九十一二三四", 20));
    assert!(matches!(talk(remark("{customer}"), &[code(84_061)]).1, Err(ApiError::Permanent(_))));
}

#[test]
fn all_pages_of_a_contact_are_read_and_personal_data_is_kept_for_sealing_only() {
    let ask = Ask::GetContact { contact: "wm1".to_owned() };
    let (requests, end) = talk(ask, &[person("next", "zhangsan"), person("", "lisi")]);
    assert!(requests[1].path_and_query.ends_with("&cursor=next"));
    let Ok(Answer::Contact(contact)) = end else { panic!("{end:?}") };
    let staff: Vec<_> = contact.follows.iter().map(|follow| follow.staff.as_str()).collect();
    assert_eq!((contact.kind, staff), (Some(ContactKind::Wechat), vec!["zhangsan", "lisi"]));
    assert_eq!(contact.follows[0].tags.len(), 1, "what staff keep for themselves has no id");
    assert_eq!(contact.follows[0].since, at(1_525_779_812));
    let shown = format!("{contact:?}");
    assert!(!shown.contains("测试顾客甲") && !shown.contains("甲姐"), "{shown}");
}

fn tags(names: &[(&str, &str)]) -> Value {
    let tags: Vec<_> = names.iter().map(|(id, name)| json!({ "id": id, "name": name })).collect();
    json!({ "group_id": "eg1", "group_name": "来源", "tag": tags })
}

#[test]
fn tags_that_are_there_already_are_found_and_the_others_added() {
    let ask = Ask::AddTags {
        group_id: None,
        group_name: Some("来源".to_owned()),
        names: vec!["店A".to_owned(), "店B".to_owned()],
    };
    let list = |tags: Value| ok(json!({ "tag_group": [tags] }));
    let added = ok(json!({ "tag_group": tags(&[("et2", "店B")]) }));
    let (requests, end) = talk(ask.clone(), &[code(40_071), list(tags(&[("et1", "店A")])), added]);
    assert_eq!(body(&requests[2]), json!({ "group_id": "eg1", "tag": [{ "name": "店B" }] }));
    let Ok(Answer::TagsAdded(group)) = end else { panic!("{end:?}") };
    assert_eq!(group.tags.iter().map(|tag| tag.id.as_str()).collect::<Vec<_>>(), ["et1", "et2"]);
    let (requests, end) = talk(ask.clone(), &[code(40_071), list(tags(&[("et1", "店A"), ("et2", "店B")]))]);
    assert!(end.is_ok() && requests.len() == 2);
    let elsewhere = talk(ask.clone(), &[code(40_071), ok(json!({ "tag_group": [] }))]).1;
    assert!(matches!(elsewhere, Err(ApiError::Permanent(_))), "{elsewhere:?}");
    let again = [code(40_071), list(tags(&[("et1", "店A")])), code(40_071)];
    assert!(matches!(talk(ask, &again).1, Err(ApiError::Permanent(_))), "no end would be worse");
    let gone = Ask::DeleteTags { tags: vec!["et1".to_owned()], groups: Vec::new() };
    assert_eq!(talk(gone, &[code(40_068)]).1, Ok(Answer::Done));
}

#[test]
fn a_message_to_contacts_names_whom_it_did_not_reach() {
    let ask = Ask::MessageContacts {
        contacts: vec!["wm1".to_owned(), "wm2".to_owned()],
        sender: Some("zhangsan".to_owned()),
        message: text("上新了"),
    };
    let (requests, end) = talk(ask.clone(), &[ok(json!({ "msgid": "msg1", "fail_list": ["wm2"] }))]);
    let sent = json!({ "chat_type": "single", "external_userid": ["wm1", "wm2"], "sender": "zhangsan",
        "text": { "content": "上新了" } });
    assert_eq!(body(&requests[0]), sent);
    let failed = vec!["wm2".to_owned()];
    let task = MessageTask { message_id: Some("msg1".to_owned()), failed, over_limit: Vec::new() };
    assert_eq!(end, Ok(Answer::MessageTask(task)));
    let Ok(Answer::MessageTask(nobody)) = talk(ask, &[code(41_048)]).1 else { panic!() };
    assert_eq!((nobody.message_id, nobody.failed.len()), (None, 2));
}

#[test]
fn results_are_read_for_every_member_of_staff_and_every_page() {
    let task = |staff: &str, status: i64| json!({ "userid": staff, "status": status, "send_time": 1_403_610_513 });
    let receipt = |contact: &str, status: i64| json!({ "external_userid": contact, "userid": "x", "status": status });
    let (requests, end) = talk(
        Ask::MessageResults { message_id: "msg1".to_owned() },
        &[
            ok(json!({ "task_list": [task("zhangsan", 2)], "next_cursor": "p2" })),
            ok(json!({ "task_list": [task("lisi", 0)] })),
            ok(json!({ "send_list": [receipt("wm1", 1)], "next_cursor": "p2" })),
            ok(json!({ "send_list": [receipt("wm2", 3)] })),
            ok(json!({ "send_list": [receipt("wm3", 2)], "next_cursor": "" })),
        ],
    );
    let asked: Vec<_> =
        requests.iter().map(|request| (body(request)["userid"].clone(), body(request)["cursor"].clone())).collect();
    let expected = [
        (Value::Null, Value::Null),
        (Value::Null, json!("p2")),
        (json!("lisi"), Value::Null),
        (json!("lisi"), json!("p2")),
        (json!("zhangsan"), Value::Null),
    ];
    assert_eq!(asked, expected);
    let Ok(Answer::MessageResults(results)) = end else { panic!("{end:?}") };
    assert_eq!(results.tasks.iter().map(|task| task.sent).collect::<Vec<_>>(), [true, false]);
    let statuses: Vec<_> = results.receipts.iter().map(|receipt| receipt.status).collect();
    assert_eq!(statuses, [ReceiptStatus::Sent, ReceiptStatus::OverLimit, ReceiptStatus::NotAContact]);
}

#[test]
fn staff_are_messaged_and_contacts_handed_over() {
    let staff = vec!["zhangsan".to_owned(), "lisi".to_owned()];
    let ask =
        Ask::MessageStaff { staff, text: "新客户".to_owned(), link: Some("https://siyu.example.com/c".to_owned()) };
    let (requests, end) = talk(ask, &[ok(json!({ "invaliduser": "lisi|wangwu", "msgid": "m1" }))]);
    let sent = body(&requests[0]);
    assert_eq!((&sent["touser"], &sent["agentid"]), (&json!("zhangsan|lisi"), &json!(1_000_002)));
    assert!(sent["text"]["content"].as_str().unwrap().contains("https://siyu.example.com/c"));
    let Ok(Answer::StaffMessaged(told)) = end else { panic!("{end:?}") };
    assert_eq!(told.invalid, ["lisi", "wangwu"]);

    let transfer = |resigned| Ask::Transfer {
        from: "zhangsan".to_owned(),
        to: "lisi".to_owned(),
        contacts: vec!["wm1".to_owned(), "wm2".to_owned()],
        message: Some("由我继续服务".to_owned()),
        resigned,
    };
    let customers =
        json!([{ "external_userid": "wm1", "errcode": 0 }, { "external_userid": "wm2", "errcode": 40_096 }]);
    for (resigned, path) in [(false, "transfer_customer"), (true, "resigned/transfer_customer")] {
        let (requests, end) = talk(transfer(resigned), &[ok(json!({ "customer": customers }))]);
        assert!(requests[0].path_and_query.starts_with(&format!("/cgi-bin/externalcontact/{path}?")));
        assert_eq!(body(&requests[0]).get("transfer_success_msg").is_some(), !resigned);
        let Ok(Answer::Transferred(started)) = end else { panic!("{end:?}") };
        assert_eq!((started.started.as_slice(), started.refused[0].code), (["wm1".to_owned()].as_slice(), 40_096));
    }
    let ask = Ask::TransferResult { from: "zhangsan".to_owned(), to: "lisi".to_owned(), resigned: false };
    let row = |status: i64| json!([{ "external_userid": "wm1", "status": status, "takeover_time": 1_588_262_400 }]);
    let pages = [ok(json!({ "customer": row(1), "next_cursor": "n" })), ok(json!({ "customer": row(3) }))];
    let Ok(Answer::TransferState { contacts }) = talk(ask, &pages).1 else { panic!() };
    assert_eq!(
        contacts.iter().map(|one| one.status).collect::<Vec<_>>(),
        [TransferStatus::Done, TransferStatus::Refused]
    );
}

#[test]
fn a_group_is_read_with_its_members() {
    let chat = json!({ "chat_id": "wr1", "name": "福利群", "owner": "zhangsan", "create_time": 1_572_505_490,
        "member_list": [{ "userid": "zhangsan", "type": 1, "join_time": 1_572_505_491, "join_scene": 1 },
            { "userid": "wm1", "type": 2, "unionid": "oU1", "join_time": 1_572_505_492, "join_scene": 3, "state": "c1" }],
        "member_version": "71" });
    let Ok(Answer::Group(group)) =
        talk(Ask::GetGroup { group: "wr1".to_owned() }, &[ok(json!({ "group_chat": chat }))]).1
    else {
        panic!()
    };
    assert_eq!(group.members.iter().map(|member| member.is_staff).collect::<Vec<_>>(), [true, false]);
    assert_eq!((group.members[1].state.as_deref(), group.version.as_deref()), (Some("c1"), Some("71")));
}

#[test]
fn codes_say_what_to_do() {
    let ask = || Ask::GetContact { contact: "wm1".to_owned() };
    for known in [40_001, 40_014, 42_001] {
        assert!(matches!(talk(ask(), &[code(known)]).1, Err(ApiError::TokenExpired(_))), "{known}");
    }
    for known in [45_009, 45_033] {
        assert!(matches!(talk(ask(), &[code(known)]).1, Err(ApiError::RateLimited(_))), "{known}");
    }
    for known in [-1, 6_000, 41_063, 60_020] {
        assert!(matches!(talk(ask(), &[code(known)]).1, Err(ApiError::Retryable(_))), "{known}");
    }
    for known in [40_058, 48_002, 84_061, 85_002, 99_999] {
        assert!(matches!(talk(ask(), &[code(known)]).1, Err(ApiError::Permanent(_))), "{known}");
    }
    for body in [json!({}), json!([]), json!("x")] {
        assert!(matches!(talk(ask(), &[body]).1, Err(ApiError::Retryable(_))), "a proxy's page");
    }
    let error = talk(ask(), &[code(60_020)]).1.unwrap_err().to_string();
    assert!(error.contains("60020") && error.contains("企业可信IP") && !error.contains("said by"), "{error}");
}

#[test]
fn tokens_are_fetched_by_the_apps_secret_and_wait_for_a_right_one() {
    assert_eq!(wecom::token_request(&app()).path_and_query, "/cgi-bin/gettoken?corpid=ww1&corpsecret=invented");
    let token = wecom::token(ok(json!({ "access_token": "t", "expires_in": 7200 })).to_string().as_bytes()).unwrap();
    assert_eq!((token.access_token.expose().as_str(), token.expires_in), ("t", 7200));
    for refused in [40_001, 40_013, 40_091, -1] {
        let error = wecom::token(code(refused).to_string().as_bytes()).unwrap_err();
        assert!(matches!(&error, ApiError::Retryable(_)) && error.to_string().contains("wecom_secret"), "{error}");
    }
}

#[test]
fn what_the_platform_would_refuse_says_what_to_change() {
    let long = |length: usize| "x".repeat(length);
    let contacts = |count: usize, said: &str| Ask::MessageContacts {
        contacts: (0..count).map(|number| format!("wm{number}")).collect(),
        sender: None,
        message: text(said),
    };
    let attached = |count: usize, attachment: Attachment| Ask::MessageContacts {
        contacts: vec!["wm1".to_owned()],
        sender: None,
        message: Message { text: None, attachments: vec![attachment; count] },
    };
    let image = |id: bool, url: bool| Attachment::Image {
        media_id: id.then(|| "m".to_owned()),
        pic_url: url.then(|| "https://wework.qpic.cn/x".to_owned()),
    };
    let link = |title: usize| Attachment::Link {
        title: long(title),
        url: "https://siyu.example.com".to_owned(),
        picture_url: None,
        description: None,
    };
    let staffed = |count: usize, several: bool| Ask::AddContactWay {
        way: ContactWay { staff: (0..count).map(|number| format!("s{number}")).collect(), several, ..way() },
    };
    let transfer = |count: usize, to: &str| Ask::Transfer {
        from: "zhangsan".to_owned(),
        to: to.to_owned(),
        contacts: vec!["wm1".to_owned(); count],
        message: None,
        resigned: false,
    };
    let remark = |length: usize| Ask::SetRemark {
        staff: "zhangsan".to_owned(),
        contact: "wm1".to_owned(),
        remark: Some(long(length)),
        description: None,
    };
    let grouped =
        |count: usize| Ask::AddJoinWay { way: JoinWay { groups: vec!["wr1".to_owned(); count], ..join_way() } };
    for (fits, ask, word) in [
        (true, Ask::AddContactWay { way: way() }, ""),
        (true, Ask::AddContactWay { way: ContactWay { state: long(30), ..way() } }, ""),
        (false, Ask::AddContactWay { way: ContactWay { state: long(31), ..way() } }, "state"),
        (false, Ask::AddContactWay { way: ContactWay { remark: long(31), ..way() } }, "remark"),
        (true, staffed(100, true), ""),
        (false, staffed(101, true), "staff"),
        (false, staffed(2, false), "staff"),
        (false, staffed(0, true), "staff"),
        (true, grouped(5), ""),
        (false, grouped(6), "groups"),
        (true, contacts(10_000, "上新"), ""),
        (false, contacts(10_001, "上新"), "contacts"),
        (false, contacts(2, "{customer}您好"), "{customer}"),
        (true, contacts(1, "{customer}您好"), ""),
        (true, contacts(1, &long(4000)), ""),
        (false, contacts(1, &long(4001)), "text"),
        (false, contacts(1, ""), "say something"),
        (true, attached(9, image(true, false)), ""),
        (false, attached(10, image(true, false)), "9"),
        (false, attached(1, image(true, true)), "media_id"),
        (false, attached(1, image(false, false)), "media_id"),
        (true, attached(1, link(128)), ""),
        (false, attached(1, link(129)), "title"),
        (true, remark(20), ""),
        (false, remark(21), "remark"),
        (true, transfer(100, "lisi"), ""),
        (false, transfer(101, "lisi"), "contacts"),
        (false, transfer(1, "zhangsan"), "same"),
        (false, Ask::GetContact { contact: " ".to_owned() }, "contact"),
    ] {
        let checked = ask.check();
        assert_eq!(checked.is_ok(), fits, "{checked:?}");
        assert!(checked.err().unwrap_or_default().contains(word), "{word}");
    }
}

#[test]
fn an_ask_lies_in_the_outbox_as_it_is_and_unknown_fields_are_refused() {
    let asks = [Ask::AddContactWay { way: way() }, welcome("{customer}您好"), Ask::AddJoinWay { way: join_way() }];
    for ask in asks {
        let kept = serde_json::to_value(&ask).unwrap();
        assert_eq!(kept["ask"], ask.operation());
        assert_eq!(serde_json::from_value::<Ask>(kept.clone()).unwrap(), ask);
        let mut odd = kept;
        odd["odd"] = json!(1);
        assert!(serde_json::from_value::<Ask>(odd).is_err());
    }
    assert_eq!(welcome("x").destination(), "wecom_welcome");
    assert_eq!(Ask::GetGroup { group: "wr1".to_owned() }.destination(), "wecom");
}

proptest! {
    /// Whatever was signed is read or not, and no more.
    #[test]
    fn no_text_breaks_the_reader(text in ".{0,200}", name in "X[A-Za-z]{1,12}", value in "[^<&]{0,40}") {
        let _ = read(&text);
        let _ = read(&own("change_external_chat", &format!("<ChatId>{text:?}</ChatId><{name}>{value}</{name}>")));
        let json = json!({ "ToUserName": "ww1", "CreateTime": 1, "Event": format!("e{text}"), name: value });
        prop_assert!(read(&json.to_string()).is_some(), "of the platform's form");
    }

    /// A platform that answers pages without an end, in any order, ends the talk or asks on; it breaks nothing.
    #[test]
    fn no_answer_breaks_a_conversation(
        codes in proptest::collection::vec(prop_oneof![Just(0_i64), Just(40_071), Just(41_044), Just(-1)], 1..12),
        fields in proptest::collection::vec("(follow_user|task_list|send_list|tag_group|customer|next_cursor|join_way)", 0..4),
    ) {
        let asks = [
            Ask::AddJoinWay { way: join_way() },
            Ask::MessageResults { message_id: "m".to_owned() },
            Ask::AddTags { group_id: Some("eg1".to_owned()), group_name: None, names: vec!["a".to_owned()] },
            Ask::GetContact { contact: "wm1".to_owned() },
        ];
        for ask in asks {
            let mut conversation = Conversation::new(ask);
            for code in &codes {
                let mut answer = json!({ "errcode": code, "config_id": "c" });
                for field in &fields {
                    answer[field] = if field == "next_cursor" { json!("n") } else { json!([]) };
                }
                let _ = conversation.request(&app(), "token");
                if !matches!(conversation.hear(answer.to_string().as_bytes()), Ok(None)) {
                    break;
                }
            }
        }
    }
}
