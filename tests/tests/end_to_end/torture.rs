//! The torture messages of RFC 4475 against a Front End over TCP: never a crash, never silence where a request
//! can be answered, and the right answer where the RFC names one. The messages are written anew after the RFC's
//! descriptions; `{long}` stands for a long run of characters.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::interop::front_end;
use crate::support::Sample;

/// What must come back.
#[derive(Debug, Clone, Copy)]
enum Expect {
    /// One of these, when the request is at fault.
    Status(&'static [u16]),
    /// A sound message: any answer that does not call it malformed.
    Sound,
    /// A response or half a message: nothing is answered.
    Nothing,
}
use Expect::{Nothing, Sound, Status};

/// The headers that a message needs besides those it is about.
const REST: &str = "Via: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bKkdjuw\nMax-Forwards: 70\nFrom: <sip:caller@example.net>;tag=323\nTo: <sip:user@example.com>\nCall-ID: torture@192.0.2.1\n";

/// (section and name, expectation, message); `{rest}` stands for [`REST`].
const MESSAGES: &[(&str, Expect, &str)] = &[
    // 3.1.1 valid messages
    (
        "3.1.1.1 wsinv",
        Sound,
        "INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0\nTO :\n sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n\nfrom   : \"J Rosenberg \\\\\\\"\"       <sip:jdrosen@example.com>\n  ;\n  tag = 98asjd8\nMaX-fOrWaRdS: 0068\nCall-ID: wsinv.ndaksdj@192.0.2.1\nContent-Length   : 0\ncseq: 0009\n  INVITE\nVia  : SIP  /   2.0\n /TCP\n    192.0.2.2;branch=390skdjuw\ns :\nNewFangledHeader:   newfangled value\n continued newfangled value\nUnknownHeaderWithUnusualValue: ;;,,;;,;\nContent-Type: application/sdp\nRoute:\n <sip:services.example.com;lr;unknownwith=value;unknown-no-value>\nv:  SIP  / 2.0  / TCP     spindle.example.com   ;\n  branch  =   z9hG4bK9ikj8  ,\n SIP  /    2.0   / TCP  192.168.255.111   ; branch=\n z9hG4bK30239\nm:\"Quoted string \\\"\\\"\" <sip:jdrosen@example.com> ; newparam =\n      newvalue ;\n  secondparam ; q = 0.33\n\n",
    ),
    (
        "3.1.1.2 intmeth",
        Status(&[501, 405]),
        "!interesting-Method0123456789_*+`.%indeed'~ sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com SIP/2.0\nVia: SIP/2.0/TCP host1.example.com;branch=z9hG4bK-.!%66*_+`'~\nTo: \"BEL:\\\x07 NUL:\\\x01 DEL:\\\x7f\" <sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy@example.com>\nFrom: token1~` token2'+_ token3*%!.- <sip:mundane@example.com>;fromParam''~+*_!.-%=\"\u{440}\u{430}\u{431}\";tag=_token~1'+`*%!-.\nCall-ID: intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{\nCSeq: 139122385 !interesting-Method0123456789_*+`.%indeed'~\nMax-Forwards: 255\nextensionHeader-!.%*+_`'~: \u{fffb}\u{8b66}\nContent-Length: 0\n\n",
    ),
    (
        "3.1.1.3 esc01",
        Sound,
        "INVITE sip:sips%3Auser%40example.com@example.net SIP/2.0\nTo: sip:%75se%72@example.com\nFrom: <sip:I%20have%20spaces@example.net>;tag=938\nMax-Forwards: 87\ni: esc01.239409asdfakjkn23onasd0-3234\nCSeq: 234234 INVITE\nVia: SIP/2.0/TCP host5.example.net;branch=z9hG4bKkdjuw\nContact:\n  <sip:cal%6Cer@host5.example.net;%6C%72;n%61me=v%61lue%25%34%31>\nContent-Length: 0\n\n",
    ),
    (
        "3.1.1.4 escnull",
        Sound,
        "REGISTER sip:example.com SIP/2.0\nTo: sip:null-%00-null@example.com\nFrom: sip:null-%00-null@example.com;tag=839923423\nMax-Forwards: 70\nCall-ID: escnull.39203ndfvkjdasfkq3w4otrq0adsfdfnavd\nCSeq: 14398234 REGISTER\nVia: SIP/2.0/TCP host5.example.com;branch=z9hG4bKkdjuw\nContact: <sip:%00@host5.example.com>\nContact: <sip:%00%00@host5.example.com>\nL:0\n\n",
    ),
    (
        "3.1.1.5 esc02",
        Status(&[501, 405]),
        "RE%47IST%45R sip:registrar.example.com SIP/2.0\nTo: \"%Z%45\" <sip:resource@example.com>\nFrom: \"%Z%45\" <sip:resource@example.com>;tag=f232jadfj23\nCall-ID: esc02.asdfnqwo34rq23i34jrjasdcnl23nrlknsdf\nVia: SIP/2.0/TCP host.example.com;branch=z9hG4bK209%fzsnel234\nCSeq: 29344 RE%47IST%45R\nMax-Forwards: 70\nContact: <sip:alias1@host1.example.com>\nC%6Fntact: <sip:alias2@host2.example.com>\nContact: <sip:alias3@host3.example.com>\nl: 0\n\n",
    ),
    (
        "3.1.1.6 lwsdisp",
        Status(&[200]),
        "OPTIONS sip:user@example.com SIP/2.0\nTo: sip:user@example.com\nFrom: caller<sip:caller@example.com>;tag=323\nMax-Forwards: 70\nCall-ID: lwsdisp.1234abcd@funky.example.com\nCSeq: 60 OPTIONS\nVia: SIP/2.0/TCP funky.example.com;branch=z9hG4bKkdjuw\nl: 0\n\n",
    ),
    (
        "3.1.1.7 longreq",
        Sound,
        "INVITE sip:user@example.com SIP/2.0\nTo: \"I have a user name of {long} proportion\"<sip:user@example.com:6000;unknownparam1=very{long}value;longparam{long}name=shortvalue;very{long}ParameterNameWithNoValue>\nF: sip:amazinglylongcallername{long}@example.net;tag=12{long}982424;unknownheaderparam{long}name=unknowheaderparam{long}value;unknownValueless{long}paramname\nCall-ID: longreq.one{long}longcallid\nCSeq: 3882340 INVITE\nUnknown-{long}-Name: unknown-{long}-value; unknown-{long}-parameter-name = unknown-{long}-parameter-value\nVia: SIP/2.0/TCP sip33.example.com\nv: SIP/2.0/TCP sip32.example.com, SIP  / 2.0 / TCP sip31.example.com\nMax-Forwards: 70\nContact: <sip:amazinglylongcallername{long}@host5.example.net>\nContent-Length: 0\n\n",
    ),
    (
        "3.1.1.8 dblreq",
        Sound,
        "REGISTER sip:example.com SIP/2.0\nTo: sip:j.user@example.com\nFrom: sip:j.user@example.com;tag=43251j3j324\nMax-Forwards: 8\nI: dblreq.0ha0isndaksdj99sdfafnl3lk233412\nContact: sip:j.user@host.example.com\nCSeq: 8 REGISTER\nVia: SIP/2.0/TCP 192.0.2.125;branch=z9hG4bKkdjuw23492\nContent-Length: 0\n\nINVITE sip:joe@example.com SIP/2.0\nt: sip:joe@example.com\nFrom: sip:caller@example.net;tag=141334\nMax-Forwards: 8\nCall-ID: dblreq.0ha0isnda977644900765@192.0.2.15\nCSeq: 8 INVITE\nVia: SIP/2.0/TCP 192.0.2.15;branch=z9hG4bKkdjuw380234\nContent-Length: 0\n\n",
    ),
    (
        "3.1.1.9 semiuri",
        Status(&[200]),
        "OPTIONS sip:user;par=u%40example.net@example.com SIP/2.0\nTo: sip:j_user@example.com\nFrom: sip:caller@example.org;tag=33242\nMax-Forwards: 3\nCall-ID: semiuri.0ha0isndaksdj\nCSeq: 8 OPTIONS\nVia: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bKkdjuw\nl: 0\n\n",
    ),
    (
        "3.1.1.10 transports",
        Status(&[200]),
        "OPTIONS sip:user@example.com SIP/2.0\nTo: sip:user@example.com\nFrom: <sip:caller@example.com>;tag=323\nMax-Forwards: 70\nCall-ID: transports.kijh4akdnaqjkwendsasfdj\nCSeq: 60 OPTIONS\nVia: SIP/2.0/UDP t1.example.com;branch=z9hG4bKkdjuw\nVia: SIP/2.0/SCTP t2.example.com;branch=z9hG4bKklasjdhf\nVia: SIP/2.0/TLS t3.example.com;branch=z9hG4bK2980unddj\nVia: SIP/2.0/UNKNOWN t4.example.com;branch=z9hG4bKasd0f3en\nVia: SIP/2.0/TCP t5.example.com;branch=z9hG4bK0a9idfnee\nl: 0\n\n",
    ),
    (
        "3.1.1.12 unreason",
        Nothing,
        "SIP/2.0 200 = 2**3 * 5**2 \u{43d}\u{43e} \u{441}\u{442}\u{43e}\nVia: SIP/2.0/TCP 192.0.2.198;branch=z9hG4bK1324923\nCall-ID: unreason.1234ksdfak3j2erwedfsASdf\nCSeq: 35 INVITE\nFrom: sip:user@example.com;tag=11141343\nTo: sip:user@example.edu;tag=2229\nContent-Length: 0\n\n",
    ),
    (
        "3.1.1.13 noreason",
        Nothing,
        "SIP/2.0 100 \nVia: SIP/2.0/TCP 192.0.2.105;branch=z9hG4bK2398ndaoe\nCall-ID: noreason.asndj203insdf99223ndf\nCSeq: 35 INVITE\nFrom: <sip:user@example.com>;tag=39ansfi3\nTo: <sip:user@example.edu>;tag=902jndnke3\nContent-Length: 0\n\n",
    ),
    // 3.1.2 invalid messages
    (
        "3.1.2.1 badinv01",
        Status(&[400]),
        "INVITE sip:user@example.com SIP/2.0\nTo: sip:user@example.com\nFrom: sip:caller@example.net;tag=134161461246\nMax-Forwards: 7\nCall-ID: badinv01.0ha0isndaksdjasdf3234nas\nCSeq: 8 INVITE\nVia: ;;,;,,\nContact: \"Joe\" <sip:joe@example.org>;;;;\nContent-Length: 0\n\n",
    ),
    (
        "3.1.2.2 clerr",
        Nothing,
        "INVITE sip:user@example.com SIP/2.0\n{rest}CSeq: 8 INVITE\nContent-Length: 9999\n\nv=0\n",
    ),
    (
        "3.1.2.3 ncl",
        Status(&[400]),
        "INVITE sip:user@example.com SIP/2.0\n{rest}CSeq: 1 INVITE\nContent-Length: -999\n\nv=0\n",
    ),
    (
        "3.1.2.4 scalar02",
        Status(&[400]),
        "REGISTER sip:example.com SIP/2.0\nVia: SIP/2.0/TCP host129.example.com;branch=z9hG4bK342sdfoi3\nTo: <sip:user@example.com>\nFrom: <sip:user@example.com>;tag=239232jh3\nCSeq: 36893488147419103232 REGISTER\nCall-ID: scalar02.23o0pd9vanlq3wnrlnewofjas9ui32\nMax-Forwards: 300\nExpires: 10000000000000000000000000000000\nContact: <sip:user@host129.example.com>;expires=280297596632815\nContent-Length: 0\n\n",
    ),
    (
        "3.1.2.6 quotbal",
        Status(&[400]),
        "INVITE sip:user@example.com SIP/2.0\nTo: \"Mr. J. User <sip:j.user@example.com>\nFrom: sip:caller@example.net;tag=93334\nMax-Forwards: 10\nCall-ID: quotbal.aksdj\nContact: <sip:caller@host59.example.net>\nCSeq: 8 INVITE\nVia: SIP/2.0/TCP 192.0.2.59:5050;branch=z9hG4bKkdjuw39234\nContent-Length: 0\n\n",
    ),
    (
        "3.1.2.7 ltgtruri",
        Status(&[400]),
        "INVITE <sip:user@example.com> SIP/2.0\n{rest}CSeq: 1 INVITE\nContent-Length: 0\n\n",
    ),
    (
        "3.1.2.8 lwsruri",
        Status(&[400]),
        "INVITE sip:user@example.com; lr SIP/2.0\n{rest}CSeq: 3 INVITE\nContent-Length: 0\n\n",
    ),
    (
        "3.1.2.9 lwsstart",
        Status(&[400]),
        "INVITE  sip:user@example.com  SIP/2.0\n{rest}CSeq: 1 INVITE\nContent-Length: 0\n\n",
    ),
    (
        "3.1.2.10 trws",
        Status(&[400, 200]),
        "OPTIONS sip:remote-target@example.com SIP/2.0  \n{rest}CSeq: 8 OPTIONS\nContent-Length: 0\n\n",
    ),
    (
        "3.1.2.11 escruri",
        Status(&[400]),
        "INVITE sip:user@example.com?Route=%3Csip:example.com%3E SIP/2.0\n{rest}CSeq: 8 INVITE\nContent-Length: 0\n\n",
    ),
    (
        "3.1.2.12 baddate",
        Sound,
        "INVITE sip:user@example.com SIP/2.0\n{rest}CSeq: 8 INVITE\nDate: Fri, 01 Jan 2010 16:00:00 EST\nContent-Length: 0\n\n",
    ),
    (
        "3.1.2.13 regbadct",
        Status(&[400]),
        "REGISTER sip:example.com SIP/2.0\n{rest}CSeq: 8 REGISTER\nContact: sip:user@example.com?Route=%3Csip:sip.example.com%3E\nContent-Length: 0\n\n",
    ),
    (
        "3.1.2.14 badaspec",
        Status(&[400, 200]),
        "OPTIONS sip:user@example.org SIP/2.0\nVia: SIP/2.0/TCP host4.example.com:5060;branch=z9hG4bKkdju43234\nMax-Forwards: 70\nFrom: \"Bell, Alexander\" <sip:a.g.bell@example.com>;tag=433423\nTo: \"Watson, Thomas\" < sip:t.watson@example.org >\nCall-ID: badaspec.sdf0234n2nds0a099u23h3hnnw009cdkne3\nCSeq: 3923239 OPTIONS\nl: 0\n\n",
    ),
    (
        "3.1.2.15 baddn",
        Status(&[400, 200]),
        "OPTIONS sip:t.watson@example.org SIP/2.0\nVia: SIP/2.0/TCP c.example.com:5060;branch=z9hG4bKkdjuw\nMax-Forwards: 70\nFrom: Bell, Alexander <sip:a.g.bell@example.com>;tag=43\nTo: Watson, Thomas <sip:t.watson@example.org>\nCall-ID: baddn.31415@c.example.com\nCSeq: 3923239 OPTIONS\nl: 0\n\n",
    ),
    (
        "3.1.2.16 badvers",
        Status(&[505]),
        "OPTIONS sip:t.watson@example.org SIP/7.0\n{rest}CSeq: 1 OPTIONS\nl: 0\n\n",
    ),
    (
        "3.1.2.17 mismatch01",
        Status(&[400]),
        "OPTIONS sip:user@example.com SIP/2.0\n{rest}CSeq: 8 INVITE\nl: 0\n\n",
    ),
    (
        "3.1.2.18 mismatch02",
        Status(&[400, 501]),
        "NEWMETHOD sip:user@example.com SIP/2.0\n{rest}CSeq: 8 INVITE\nContent-Length: 0\n\n",
    ),
    (
        "3.1.2.19 bigcode",
        Nothing,
        "SIP/2.0 4294967301 better not break the receiver\nVia: SIP/2.0/TCP 192.0.2.105;branch=z9hG4bK2398ndaoe\nCall-ID: bigcode.asdof3uj203asdnf3429uasdhfas3ehjasdfas9i\nCSeq: 353494 INVITE\nFrom: <sip:user@example.com>;tag=39ansfi3\nTo: <sip:user@example.edu>;tag=902jndnke3\nContent-Length: 0\n\n",
    ),
    // 3.2 transaction layer
    (
        "3.2.1 badbranch",
        Status(&[200, 400]),
        "OPTIONS sip:user@example.com SIP/2.0\nTo: sip:user@example.com\nFrom: sip:caller@example.org;tag=33242\nMax-Forwards: 3\nVia: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK\nCall-ID: badbranch.sadonfo23i420jv0as0derf3j3n\nCSeq: 8 OPTIONS\nl: 0\n\n",
    ),
    // 3.3 application layer
    (
        "3.3.1 insuf",
        Status(&[400]),
        "INVITE sip:user@example.com SIP/2.0\nCSeq: 193942 INVITE\nVia: SIP/2.0/TCP 192.0.2.95;branch=z9hG4bKkdj.insuf\nContent-Type: application/sdp\nl: 0\n\n",
    ),
    (
        "3.3.2 unkscm",
        Status(&[416]),
        "OPTIONS nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0\n{rest}CSeq: 8 OPTIONS\nContent-Length: 0\n\n",
    ),
    (
        "3.3.3 novelsc",
        Status(&[416]),
        "OPTIONS soap.beep://192.0.2.103:3002 SIP/2.0\n{rest}CSeq: 3923 OPTIONS\nContent-Length: 0\n\n",
    ),
    (
        "3.3.4 unksm2",
        Status(&[400, 401, 403, 404]),
        "REGISTER sip:example.com SIP/2.0\nTo: isbn:2983792873\nFrom: <http://www.example.com>;tag=3234233\nCall-ID: unksm2.daksdj@hyphenated-host.example.com\nCSeq: 234902 REGISTER\nMax-Forwards: 70\nVia: SIP/2.0/TCP 192.0.2.21:5060;branch=z9hG4bKkdjuw\nContact: <name:John_Smith>\nl: 0\n\n",
    ),
    (
        "3.3.5 bext01",
        Status(&[420]),
        "OPTIONS sip:user@example.com SIP/2.0\n{rest}CSeq: 8 OPTIONS\nRequire: nothingSupportsThis, nothingSupportsThisEither\nProxy-Require: noProxiesSupportThis, norDoAnyProxiesSupportThis\nContent-Length: 0\n\n",
    ),
    (
        "3.3.6 invut",
        Sound,
        "INVITE sip:user@example.com SIP/2.0\n{rest}CSeq: 8 INVITE\nContact: <sip:caller@host5.example.net>\nContent-Type: application/unknownformat\nContent-Length: 40\n\n<audio>\n <pcmu port=\"443\"/>\n</audio>    \n",
    ),
    (
        "3.3.7 regaut01",
        Status(&[401]),
        "REGISTER sip:litwareinc.com SIP/2.0\nTo: sip:j.user@litwareinc.com\nFrom: sip:j.user@litwareinc.com;tag=87321hj23128\nMax-Forwards: 8\nCall-ID: regaut01.0ha0isndaksdj\nCSeq: 9338 REGISTER\nVia: SIP/2.0/TCP 192.0.2.253;branch=z9hG4bKkdjuw\nAuthorization: NoOneKnowsThisScheme opaque-data=here\nContent-Length:0\n\n",
    ),
    (
        "3.3.8 multi01",
        Status(&[400]),
        "INVITE sip:user@company.com SIP/2.0\nContact: <sip:caller@host25.example.net>\nVia: SIP/2.0/TCP 192.0.2.25;branch=z9hG4bKkdjuw\nMax-Forwards: 70\nCSeq: 5 INVITE\nCall-ID: multi01.98asdh@192.0.2.1\nCSeq: 59 INVITE\nCall-ID: multi01.98asdh@192.0.2.2\nFrom: sip:caller@example.com;tag=3413415\nTo: sip:user@example.com\nTo: sip:other@example.net\nFrom: sip:caller@example.net;tag=2923420123\nl: 0\n\n",
    ),
    (
        "3.3.9 mcl01",
        Status(&[400]),
        "OPTIONS sip:user@example.com SIP/2.0\n{rest}CSeq: 8 OPTIONS\nContent-Length: 13\nContent-Length: 5\n\nThere's no way to know how many octets are supposed to be here.\n",
    ),
    (
        "3.3.10 bcast",
        Nothing,
        "SIP/2.0 200 OK\nVia: SIP/2.0/TCP 192.0.2.198;branch=z9hG4bK1324923\nVia: SIP/2.0/TCP 255.255.255.255;branch=z9hG4bK1saber23\nCall-ID: bcast.0384840201234ksdfak3j2erwedfsASdf\nCSeq: 35 INVITE\nFrom: sip:user@example.com;tag=11141343\nTo: sip:user@example.edu;tag=2229\nContent-Length: 0\n\n",
    ),
    (
        "3.3.11 zeromf",
        Status(&[200, 483]),
        "OPTIONS sip:user@example.com SIP/2.0\nTo: sip:user@example.com\nFrom: sip:caller@example.net;tag=3ghsd41\nCall-ID: zeromf.jfasdlfnm2o2l43r5u0asdfas\nCSeq: 39234321 OPTIONS\nVia: SIP/2.0/TCP host1.example.com;branch=z9hG4bKkdjuw2349i\nMax-Forwards: 0\nContent-Length: 0\n\n",
    ),
    (
        "3.3.12 cparam01",
        Sound,
        "REGISTER sip:example.com SIP/2.0\n{rest}CSeq: 8 REGISTER\nContact: sip:+19725552222@gw1.example.net;unknownparam\nContent-Length: 0\n\n",
    ),
    (
        "3.3.13 cparam02",
        Sound,
        "REGISTER sip:example.com SIP/2.0\n{rest}CSeq: 8 REGISTER\nContact: <sip:+19725552222@gw1.example.net;unknownparam>\nContent-Length: 0\n\n",
    ),
    (
        "3.3.14 regescrt",
        Sound,
        "REGISTER sip:example.com SIP/2.0\n{rest}CSeq: 8 REGISTER\nContact: <sip:user@example.com?Route=%3Csip:sip.example.com%3E>\nContent-Length: 0\n\n",
    ),
    (
        "3.3.15 sdp01",
        Sound,
        "INVITE sip:user@example.com SIP/2.0\n{rest}CSeq: 5 INVITE\nContact: <sip:caller@host15.example.net>\nAccept: text/nobodyKnowsThis\nContent-Length: 0\n\n",
    ),
    (
        "3.4.1 inv2543",
        Sound,
        "INVITE sip:UserB@example.com SIP/2.0\nVia: SIP/2.0/TCP iftgw.example.com\nFrom: <sip:+13035551111@ift.client.example.net;user=phone>\nRecord-Route: <sip:UserB@example.com;maddr=ss1.example.com>\nTo: sip:+16505552222@ss1.example.net;user=phone\nCall-ID: inv2543.1717@ift.client.example.com\nCSeq: 56 INVITE\nContact: <sip:UserB@example.com>\nContent-Length: 0\n\n",
    ),
];

/// How long an answer may take before it is called silence; it comes in milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long nothing is waited for.
const QUIET: Duration = Duration::from_millis(150);

fn bytes(text: &str) -> Vec<u8> {
    let whole = text.replace("{rest}", REST).replace("{long}", &"verylong".repeat(25));
    whole.replace('\n', "\r\n").into_bytes()
}

/// The status of the first final answer; none when the connection ends or stays silent.
async fn answer(tcp: &mut TcpStream, patience: Duration) -> Option<u16> {
    let mut got = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&got).into_owned();
        let status = |l: &str| l.strip_prefix("SIP/2.0 ")?.get(..3)?.parse::<u16>().ok();
        if let Some(s) = text.lines().filter_map(status).find(|s| *s >= 200) {
            return Some(s);
        }
        match tokio::time::timeout(patience, tcp.read(&mut buffer)).await {
            Ok(Ok(n)) if n > 0 => got.extend_from_slice(&buffer[..n]),
            _ => return None,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_torture_message_gets_its_answer_and_others_notice_nothing() -> Result<()> {
    let s = Sample::start().await?;
    let at = front_end(&s).await?;
    let mut witness = TcpStream::connect(at).await?;
    let alive = bytes("OPTIONS sip:user@example.com SIP/2.0\n{rest}CSeq: 8 OPTIONS\nContent-Length: 0\n\n");
    for (name, expected, text) in MESSAGES {
        let mut tcp = TcpStream::connect(at).await?;
        tcp.write_all(&bytes(text)).await?;
        match expected {
            Nothing => {
                let got = answer(&mut tcp, QUIET).await;
                ensure!(got.is_none(), "{name}: {got:?} to what is no request");
            }
            Sound => {
                let got = answer(&mut tcp, PATIENCE).await.with_context(|| format!("{name}: no answer"))?;
                ensure!(![400, 416, 420, 505].contains(&got) && got < 500, "{name}: {got}");
            }
            Status(list) => {
                let got = answer(&mut tcp, PATIENCE).await.with_context(|| format!("{name}: no answer"))?;
                ensure!(list.contains(&got), "{name}: {got} instead of one of {list:?}");
            }
        }
        witness.write_all(&alive).await?;
        let still = answer(&mut witness, PATIENCE).await;
        ensure!(still == Some(200), "after {name} another client got {still:?}");
    }
    Ok(())
}
