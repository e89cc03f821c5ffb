//! NTLMv2 in its connectionless form, as SIP uses it: MS-NLMP without the first message, signatures in
//! datagram mode. Client side; what a server needs besides stands here too, for peers in tests.

use hmac::{Hmac, KeyInit, Mac};
use md4::Md4;
use md5::{Digest, Md5};

/// What we ask for and what a SIP registrar offers: Unicode, target, sign, datagram, NTLM, always sign,
/// extended session security, identify, target info, version, 128, key exchange, 56.
pub const FLAGS: u32 = 0x6298_8255;
const UNICODE: u32 = 1;
const DATAGRAM: u32 = 0x40;
const EXTENDED: u32 = 0x0008_0000;
const KEY_EXCHANGE: u32 = 0x4000_0000;
const SIGNATURE: &[u8; 8] = b"NTLMSSP\0";
/// NTLM's number of a message; in SIP it is the same for all.
const NUMBER: u32 = 100;
/// Where the payload of an AUTHENTICATE message begins: a version, and no MIC.
const PAYLOAD: usize = 72;

/// HMAC-MD5 over several parts.
pub fn hmac_md5(key: &[u8], parts: &[&[u8]]) -> [u8; 16] {
    let mut mac = Hmac::<Md5>::new_from_slice(key).expect("HMAC takes keys of any length");
    for p in parts {
        mac.update(p);
    }
    mac.finalize().into_bytes().into()
}

/// RC4; NTLM has nothing else.
pub fn rc4(key: &[u8], data: &[u8]) -> Vec<u8> {
    let mut s: [u8; 256] = std::array::from_fn(|i| u8::try_from(i).unwrap_or_default());
    let mut j = 0_u8;
    for i in 0..256 {
        j = j.wrapping_add(s[i]).wrapping_add(key[i % key.len().max(1)]);
        s.swap(i, usize::from(j));
    }
    let (mut i, mut j) = (0_u8, 0_u8);
    let mut next = || {
        i = i.wrapping_add(1);
        j = j.wrapping_add(s[usize::from(i)]);
        s.swap(usize::from(i), usize::from(j));
        s[usize::from(s[usize::from(i)].wrapping_add(s[usize::from(j)]))]
    };
    data.iter().map(|b| b ^ next()).collect()
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// The key made from the password: `NTOWFv2`.
pub fn ntowf_v2(user: &str, domain: &str, password: &str) -> [u8; 16] {
    let name = format!("{}{domain}", user.to_uppercase());
    hmac_md5(&Md4::digest(utf16(password)), &[&utf16(&name)])
}

/// A CHALLENGE message as far as the client needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// What the server offers.
    pub flags: u32,
    /// Its nonce.
    pub nonce: [u8; 8],
    /// Names of the server, to be sent back.
    pub target_info: Vec<u8>,
}

fn u16_at(b: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(u16::from_le_bytes(b.get(at..at + 2)?.try_into().ok()?)))
}

fn u32_at(b: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(b.get(at..at + 4)?.try_into().ok()?))
}

/// The bytes that length and offset at `at` name.
pub fn field(b: &[u8], at: usize) -> Option<&[u8]> {
    let (len, from) = (u16_at(b, at)?, usize::try_from(u32_at(b, at + 4)?).ok()?);
    b.get(from..from.checked_add(len)?)
}

impl Challenge {
    /// Reads a CHALLENGE message.
    pub fn parse(b: &[u8]) -> Option<Self> {
        if b.get(..8)? != SIGNATURE || u32_at(b, 8)? != 2 {
            return None;
        }
        Some(Self {
            flags: u32_at(b, 20)?,
            nonce: b.get(24..32)?.try_into().ok()?,
            target_info: field(b, 40).unwrap_or_default().to_vec(),
        })
    }

    /// Writes one; for peers in tests.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = SIGNATURE.to_vec();
        out.extend(2_u32.to_le_bytes());
        out.extend([0; 4]);
        out.extend(56_u32.to_le_bytes());
        out.extend(self.flags.to_le_bytes());
        out.extend(self.nonce);
        out.extend([0; 8]);
        let len = u16::try_from(self.target_info.len()).unwrap_or(u16::MAX).to_le_bytes();
        out.extend([len, len].concat());
        out.extend(56_u32.to_le_bytes());
        out.extend([6, 1, 0xb1, 0x1d, 0, 0, 0, 15]);
        out.extend(&self.target_info);
        out
    }

    /// The server's own time, when it tells it (AV pair 7).
    fn time(&self) -> Option<u64> {
        let mut rest = self.target_info.as_slice();
        loop {
            let (id, len) = (u16_at(rest, 0)?, u16_at(rest, 2)?);
            let value = rest.get(4..4 + len)?;
            match id {
                0 => return None,
                7 => return Some(u64::from_le_bytes(value.try_into().ok()?)),
                _ => rest = &rest[4 + len..],
            }
        }
    }
}

/// The client's part of the proof: `temp` of MS-NLMP 3.3.2.
pub fn temp(time: u64, nonce: [u8; 8], target_info: &[u8]) -> Vec<u8> {
    let mut t = vec![1, 1, 0, 0, 0, 0, 0, 0];
    t.extend(time.to_le_bytes());
    t.extend(nonce);
    t.extend([0; 4]);
    t.extend(target_info);
    t.extend([0; 4]);
    t
}

/// What the client brings to an AUTHENTICATE message.
pub struct Client<'a> {
    /// User.
    pub user: &'a str,
    /// Domain; may be empty.
    pub domain: &'a str,
    /// Name of this computer; may be empty.
    pub workstation: &'a str,
    /// Password.
    pub password: &'a str,
    /// Its nonce.
    pub nonce: [u8; 8],
    /// Random key of the session.
    pub session_key: [u8; 16],
    /// 100 ns since 1601, for servers that do not tell their time.
    pub time: u64,
}

/// The AUTHENTICATE message and the key of the session; none when the server does not offer what SIP needs.
pub fn authenticate(c: &Challenge, me: &Client<'_>) -> Option<(Vec<u8>, [u8; 16])> {
    let needed = UNICODE | DATAGRAM | EXTENDED;
    if c.flags & needed != needed {
        return None;
    }
    let key = ntowf_v2(me.user, me.domain, me.password);
    let temp = temp(c.time().unwrap_or(me.time), me.nonce, &c.target_info);
    let proof = hmac_md5(&key, &[&c.nonce, &temp]);
    let base = hmac_md5(&key, &[&proof]);
    // A server that tells its time wants no LMv2 (MS-NLMP 3.1.5.1.2).
    let lm = match c.time() {
        Some(_) => vec![0; 24],
        None => [&hmac_md5(&key, &[&c.nonce, &me.nonce])[..], &me.nonce].concat(),
    };
    let (exported, encrypted) = match c.flags & KEY_EXCHANGE {
        0 => (base, Vec::new()),
        _ => (me.session_key, rc4(&base, &me.session_key)),
    };
    let parts = [
        lm,
        [&proof[..], &temp].concat(),
        utf16(me.domain),
        utf16(me.user),
        utf16(me.workstation),
        encrypted,
    ];
    let mut out = SIGNATURE.to_vec();
    out.extend(3_u32.to_le_bytes());
    let mut at = PAYLOAD;
    for p in &parts {
        let len = u16::try_from(p.len()).ok()?.to_le_bytes();
        out.extend([len, len].concat());
        out.extend(u32::try_from(at).ok()?.to_le_bytes());
        at += p.len();
    }
    out.extend((c.flags & FLAGS).to_le_bytes());
    out.extend([6, 1, 0xb1, 0x1d, 0, 0, 0, 15]);
    out.extend(parts.concat());
    Some((out, exported))
}

/// Checks an AUTHENTICATE message as a server does: the key of the session when the password is right.
/// For peers in tests.
pub fn accept(token: &[u8], nonce: [u8; 8], password: &str) -> Option<[u8; 16]> {
    let text = |b: &[u8]| {
        let units: Vec<u16> = b.chunks_exact(2).map(|c| u16::from_le_bytes([c[0], c[1]])).collect();
        String::from_utf16_lossy(&units)
    };
    let (answer, domain, user) = (field(token, 20)?, text(field(token, 28)?), text(field(token, 36)?));
    let (proof, temp) = answer.split_at_checked(16)?;
    let key = ntowf_v2(&user, &domain, password);
    let right = hmac_md5(&key, &[&nonce, temp]);
    let base = hmac_md5(&key, &[&right]);
    if proof != right {
        return None;
    }
    match field(token, 52)? {
        [] => Some(base),
        sent => rc4(&base, sent).try_into().ok(),
    }
}

/// Keys of one direction.
#[derive(Clone)]
pub struct Keys {
    sign: [u8; 16],
    seal: [u8; 16],
}

impl Keys {
    fn new(exported: &[u8; 16], way: &str) -> Self {
        let of = |use_: &str| {
            let magic = format!("session key to {way} {use_} key magic constant\0");
            Md5::new().chain_update(exported).chain_update(magic).finalize().into()
        };
        Self { sign: of("signing"), seal: of("sealing") }
    }

    /// For what the client sends.
    pub fn of_client(exported: &[u8; 16]) -> Self {
        Self::new(exported, "client-to-server")
    }

    /// For what the server sends.
    pub fn of_server(exported: &[u8; 16]) -> Self {
        Self::new(exported, "server-to-client")
    }

    /// The signature of a text, as 32 hexadecimal digits; the same text has the same signature.
    pub fn signature(&self, text: &str) -> String {
        let number = NUMBER.to_le_bytes();
        let key = Md5::new().chain_update(self.seal).chain_update(number).finalize();
        let sum = hmac_md5(&self.sign, &[&number, text.as_bytes()]);
        let mut out = vec![1, 0, 0, 0];
        out.extend(rc4(&key, &sum[..8]));
        out.extend(number);
        hex::encode(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes<const N: usize>(hex: &str) -> [u8; N] {
        hex::decode(hex).unwrap().try_into().unwrap()
    }

    const NONCE: &str = "0123456789abcdef";
    const TARGET: &str = "02000c0044006f006d00610069006e0001000c0053006500720076006500720000000000";

    /// MS-NLMP 4.2.4.
    #[test]
    fn the_published_values() {
        let key = ntowf_v2("User", "Domain", "Password");
        assert_eq!(hex::encode(key), "0c868a403bfd7a93a3001ef22ef02e3f");
        let temp = temp(0, [0xaa; 8], &hex::decode(TARGET).unwrap());
        assert_eq!(
            hex::encode(&temp),
            format!("01010000000000000000000000000000aaaaaaaaaaaaaaaa00000000{TARGET}00000000")
        );
        let proof = hmac_md5(&key, &[&bytes::<8>(NONCE), &temp]);
        assert_eq!(hex::encode(proof), "68cd0ab851e51c96aabc927bebef6a1c");
        let base = hmac_md5(&key, &[&proof]);
        assert_eq!(hex::encode(base), "8de40ccadbc14a82f15cb0ad0de95ca3");
        assert_eq!(hex::encode(rc4(&base, &[0x55; 16])), "c5dad2544fc9799094ce1ce90bc9d03e");
        let keys = Keys::of_client(&[0x55; 16]);
        assert_eq!(hex::encode(keys.seal), "59f600973cc4960a25480a7c196e4c58");
        assert_eq!(hex::encode(keys.sign), "4788dc861b4782f35d43fd98fe1a2d39");
    }

    fn challenge(flags: u32) -> Challenge {
        Challenge { flags, nonce: bytes(NONCE), target_info: hex::decode(TARGET).unwrap() }
    }

    fn me(password: &str) -> Client<'_> {
        let (user, domain) = ("User", "Domain");
        Client {
            user,
            domain,
            workstation: "COMPUTER",
            password,
            nonce: [0xaa; 8],
            session_key: [0x55; 16],
            time: 0,
        }
    }

    /// The whole message: fields of MS-NLMP 4.2.4.3, read back at their offsets.
    #[test]
    fn the_authenticate_message_holds_the_published_fields_and_a_server_takes_it() {
        let read = Challenge::parse(&challenge(FLAGS).to_bytes()).unwrap();
        assert_eq!(read, challenge(FLAGS));
        let (token, exported) = authenticate(&read, &me("Password")).unwrap();
        assert_eq!(exported, [0x55; 16]);
        assert_eq!(
            hex::encode(field(&token, 12).unwrap()),
            "86c35097ac9cec102554764a57cccc19aaaaaaaaaaaaaaaa"
        );
        assert!(hex::encode(field(&token, 20).unwrap()).starts_with("68cd0ab851e51c96aabc927bebef6a1c0101"));
        assert_eq!(field(&token, 28).unwrap(), utf16("Domain"));
        assert_eq!(field(&token, 36).unwrap(), utf16("User"));
        assert_eq!(field(&token, 44).unwrap(), utf16("COMPUTER"));
        assert_eq!(hex::encode(field(&token, 52).unwrap()), "c5dad2544fc9799094ce1ce90bc9d03e");
        assert_eq!(accept(&token, bytes(NONCE), "Password"), Some([0x55; 16]));
        assert_eq!(accept(&token, bytes(NONCE), "password"), None);
        assert_eq!(accept(&token, [0; 8], "Password"), None);
        // Without key exchange the key is the one that both can compute.
        let (token, exported) = authenticate(&challenge(FLAGS & !KEY_EXCHANGE), &me("Password")).unwrap();
        assert_eq!(hex::encode(exported), "8de40ccadbc14a82f15cb0ad0de95ca3");
        assert_eq!(accept(&token, bytes(NONCE), "Password"), Some(exported));
        assert!(authenticate(&challenge(FLAGS & !DATAGRAM), &me("Password")).is_none());
    }

    #[test]
    fn a_server_that_tells_its_time_gets_it_back_and_no_lm_answer() {
        let mut c = challenge(FLAGS);
        c.target_info.truncate(c.target_info.len() - 4);
        c.target_info.extend([7, 0, 8, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0]);
        let (token, _) = authenticate(&c, &me("Password")).unwrap();
        assert_eq!(field(&token, 12).unwrap(), [0; 24]);
        assert_eq!(field(&token, 20).unwrap()[24..32], [1, 2, 3, 4, 5, 6, 7, 8]);
    }

    /// A capture between a SIP client and a server, `reference/protocol/auth.md` §5.
    #[test]
    fn keys_and_signatures_of_a_real_session() {
        let x = bytes("af3686833ad7fe5f8cb4d0eafdb073cf");
        let (client, server) = (Keys::of_client(&x), Keys::of_server(&x));
        assert_eq!(hex::encode(client.sign), "35311c43af68ae3a2ee1c287a7b257f2");
        assert_eq!(hex::encode(client.seal), "e975406c8065683d4f54ec1115c4a287");
        assert_eq!(hex::encode(server.sign), "84fced31d7f951e3f21444eab20f7c8c");
        assert_eq!(hex::encode(server.seal), "46f4b06b35748357e39d6237053d44b8");
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_break_the_reader(b in proptest::collection::vec(proptest::num::u8::ANY, 0..120)) {
            let mut whole = SIGNATURE.to_vec();
            whole.extend(2_u32.to_le_bytes());
            whole.extend(&b);
            if let Some(c) = Challenge::parse(&whole) {
                let _ = authenticate(&c, &me("Password"));
            }
            let _ = (Challenge::parse(&b), accept(&whole, [0; 8], "x"));
        }
    }
}
