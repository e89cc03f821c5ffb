use super::*;
use proptest::prelude::*;

/// Bodies of xccos.md §13: read, and written again letter by letter.
#[test]
fn the_reference_conversation() {
    for body in [
        r#"<xccos ver="1" envid="4101" xmlns="urn:parlano:xml:ns:xccos"><cmd id="cmd:requri" seqid="1"><data/></cmd></xccos>"#,
        r#"<xccos ver="1" envid="9000000000000001" xmlns="urn:parlano:xml:ns:xccos"><rpl id="rpl:requri" seqid="1"><commandid seqid="1" envid="4101"/><resp code="200">SUCCESS_OK</resp><data><uib uri="sip:pcpool-channel@litware.test"/></data></rpl></xccos>"#,
        r#"<xccos ver="1" envid="4103" xmlns="urn:parlano:xml:ns:xccos"><cmd id="cmd:join" seqid="1"><data><chanid key="0" domain="litware.test" value="6b1f0c3e-52a7-4f0d-9c4b-0d9b7a51c2aa"/></data></cmd></xccos>"#,
        r#"<xccos ver="1" envid="9000000000000003" xmlns="urn:parlano:xml:ns:xccos"><rpl id="rpl:join" seqid="1"><commandid seqid="1" envid="4103"/><resp code="200">SUCCESS_OK</resp><data><chanib name="Synthetic test" description="daily check" uri="ma-chan://litware.test/6b1f0c3e-52a7-4f0d-9c4b-0d9b7a51c2aa" topic="health" parent="ma-cat://litware.test/ops" behavior="NORMAL"><aib key="3984" value="0"/><info id="urn:parlano:ma:info:ucnt">1</info><prop id="urn:parlano:ma:prop:logged">True</prop></chanib><uib id="0" uri="sip:pilar@litware.test" disp="Pilar Ackerman"/></data></rpl></xccos>"#,
        r#"<xccos ver="1" envid="9000000000000004" xmlns="urn:parlano:xml:ns:xccos"><ntc id="ntc:join" seqid="1"><data><uib uri="sip:kenmyer@litware.test" disp="Ken Myer"><aib key="3984" domain="litware.test" value="6b1f0c3e-52a7-4f0d-9c4b-0d9b7a51c2aa"/></uib></data></ntc></xccos>"#,
        r#"<xccos ver="1" envid="4104" xmlns="urn:parlano:xml:ns:xccos"><grpchat id="grpchat" seqid="1" chanUri="ma-chan://litware.test/6b1f0c3e-52a7-4f0d-9c4b-0d9b7a51c2aa" author="sip:pilar@litware.test" ts="2026-11-21T09:00:01Z"><chat>synthetic 7c1e 1/2</chat></grpchat></xccos>"#,
        r#"<xccos ver="1" envid="9000000000000005" xmlns="urn:parlano:xml:ns:xccos"><grpchat id="grpchat" seqid="1" chanUri="ma-chan://litware.test/6b1f0c3e-52a7-4f0d-9c4b-0d9b7a51c2aa" author="sip:pilar@litware.test" authdisp="Pilar Ackerman" alert="false" chatId="501" ts="2026-11-21T09:00:01.1042310Z"><chat>synthetic 7c1e 1/2</chat></grpchat></xccos>"#,
        r#"<xccos ver="1" envid="9000000000000008" xmlns="urn:parlano:xml:ns:xccos"><ntc id="ntc:part" seqid="1"><data><chanib uri="ma-chan://litware.test/6b1f0c3e-52a7-4f0d-9c4b-0d9b7a51c2aa"><uib uri="sip:pilar@litware.test"/></chanib></data></ntc></xccos>"#,
    ] {
        assert_eq!(parse(body.as_bytes()).unwrap().to_xml(), body);
    }
}

#[test]
fn prefixes_case_and_unknown_things_do_not_matter() {
    let e = parse(br#"<?xml version="1.0"?><x:XCCOS xmlns:x="urn:parlano:xml:ns:xccos" envid="1" new="1"><x:cmd id="CMD:Join" seqid="1"><x:data><x:zib/><x:chanid key="0" domain="d" value="v"/></x:data></x:cmd><x:sys/></x:XCCOS>"#).unwrap();
    let Element::Command { id, data, .. } = &e.elements[0] else { panic!("no command") };
    assert_eq!((id.as_str(), data.0.len(), e.elements.len()), ("cmd:join", 2, 1));
}

/// The same wish in each form that is met.
#[test]
fn the_count_of_wanted_messages_stands_inside_beside_or_before() {
    let read = |data: &str| {
        let xml = format!("<xccos envid=\"1\"><cmd id=\"cmd:bccontext\"><data>{data}</data></cmd></xccos>");
        match parse(xml.as_bytes()).unwrap().elements.remove(0) {
            Element::Command { data, .. } => data,
            other => panic!("{other:?}"),
        }
    };
    let wanted = |n| Data::one(Item::ChanIb(ChanIb { uri: "r".to_owned(), last: n, ..ChanIb::default() }));
    for (xml, n) in [
        (r#"<chanib uri="r"><bcq><last cnt="25"/></bcq></chanib>"#, Some(25)),
        (r#"<chanib uri="r"/><bcq><last cnt="25"/></bcq>"#, Some(25)),
        (r#"<bcq><last cnt="25"/></bcq><chanib uri="r"/>"#, Some(25)),
        // The one inside is the closer one.
        (r#"<chanib uri="r"><bcq><last cnt="5"/></bcq></chanib><bcq><last cnt="25"/></bcq>"#, Some(5)),
        (r#"<chanib uri="r"/><bcq/>"#, None),
        (r#"<chanib uri="r"/><bcq><last cnt="many"/></bcq>"#, None),
    ] {
        assert_eq!(read(xml), wanted(n), "{xml}");
    }
    // Two rooms with different counts keep them.
    let two = Data([1, 2].map(|n| wanted(Some(n)).0.remove(0)).to_vec());
    let e = Envelope::command(1, "cmd:bccontext", two);
    assert_eq!(parse(e.to_xml().as_bytes()).unwrap(), e);
    // As SIPE writes it.
    let sent = r#"<xccos ver="1" envid="869441022" xmlns="urn:parlano:xml:ns:xccos"><cmd id="cmd:bccontext" seqid="1"><data><chanib uri="ma-chan://example.test/1"/><bcq><last cnt="25"/></bcq></data></cmd></xccos>"#;
    assert_eq!(parse(sent.as_bytes()).unwrap().to_xml(), sent);
}

#[test]
fn document_types_and_depth_are_refused() {
    assert!(parse(b"<!DOCTYPE x [<!ENTITY a \"b\">]><xccos envid=\"1\"/>").is_err());
    assert!(parse("<xccos envid=\"1\">".repeat(40).as_bytes()).is_err());
    assert!(parse(b"<xccos/>").is_err());
}

fn word() -> impl Strategy<Value = String> {
    "[ -~\u{a0}-\u{d7ff}\r\n\t]{0,24}"
}

fn some_word() -> impl Strategy<Value = Option<String>> {
    prop::option::of(word())
}

prop_compose! {
    fn any_chat()(
        seqid in any::<u32>(), chan_uri in word(), author in word(), authdisp in some_word(),
        alert in any::<bool>(), chat_id in prop::option::of(any::<u64>()), ts in word(), text in word(),
        rtf in some_word(),
    ) -> Chat {
        Chat { seqid, chan_uri, author, authdisp, alert, chat_id, ts, text, rtf }
    }
}

prop_compose! {
    fn any_user()(
        id in prop::option::of(any::<u32>()), uri in word(), disp in some_word(),
        aibs in prop::collection::vec((word(), word(), word()), 0..3),
    ) -> Uib {
        Uib { id, uri, disp, aibs }
    }
}

fn word_pairs() -> impl Strategy<Value = Vec<(String, String)>> {
    prop::collection::vec((word(), word()), 0..3)
}

prop_compose! {
    fn any_room()(
        uri in word(), name in some_word(), description in some_word(), topic in some_word(),
        parent in some_word(), behavior in some_word(), aibs in word_pairs(), infos in word_pairs(),
        props in word_pairs(), msgs in prop::collection::vec(any_chat(), 0..3),
        uibs in prop::collection::vec(any_user(), 0..3), last in prop::option::of(any::<u32>()),
    ) -> ChanIb {
        ChanIb { uri, name, description, topic, parent, behavior, aibs, infos, props, msgs, uibs, last }
    }
}

/// `data` with items of every kind; `Other` has a name that nothing else has.
fn any_data() -> impl Strategy<Value = Data> {
    let item = prop_oneof![
        (any::<u32>(), word(), word()).prop_map(|(key, domain, value)| Item::ChanId { key, domain, value }),
        any_room().prop_map(Item::ChanIb),
        any_user().prop_map(Item::Uib),
        (word(), word(), word()).prop_map(|(key, value, domain)| Item::Fib { key, value, domain }),
        (word(), word()).prop_map(|(qtype, criteria)| Item::Qib { qtype, criteria }),
        word().prop_map(|v| Item::Other { name: "sib".to_owned(), attrs: vec![("domain".to_owned(), v)] }),
    ];
    prop::collection::vec(item, 0..5).prop_map(Data)
}

fn any_element() -> impl Strategy<Value = Element> {
    let id = |kind: &'static str| "[a-z]{1,12}".prop_map(move |n| format!("{kind}:{n}"));
    let reply = (
        id("rpl"),
        any::<u32>(),
        prop::option::of((any::<u32>(), any::<u64>())),
        any::<u16>(),
        "[A-Z_]{0,20}",
        any_data(),
    );
    prop_oneof![
        (id("cmd"), any::<u32>(), any_data()).prop_map(|(id, seqid, data)| Element::Command {
            id,
            seqid,
            data
        }),
        reply.prop_map(|(id, seqid, command, code, text, data)| Element::Reply {
            id,
            seqid,
            command,
            code,
            text,
            data
        }),
        (id("ntc"), any_data()).prop_map(|(id, data)| Element::Notice { id, data }),
        any_chat().prop_map(Element::Chat),
    ]
}

proptest! {
    #[test]
    fn any_document_survives_writing(
        envid in any::<u64>(),
        elements in prop::collection::vec(any_element(), 0..4),
    ) {
        let e = Envelope { envid, elements };
        prop_assert_eq!(parse(e.to_xml().as_bytes()).unwrap(), e);
    }

    #[test]
    fn text_survives(text in "[ -~\u{a0}-\u{d7ff}\r\n\t]{0,120}") {
        let chat = Chat { seqid: 1, chan_uri: "ma-chan://d/1".to_owned(), author: "sip:a@b".to_owned(), ts: "t".to_owned(), text, ..Chat::default() };
        let e = Envelope::one(7, Element::Chat(chat));
        prop_assert_eq!(parse(e.to_xml().as_bytes()).unwrap(), e);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse(&bytes);
    }
}
