//! Mutations with a seed: the same seed makes the same bytes everywhere.

/// Marsaglia's xorshift: random enough to break parsers.
pub struct Random(u64);

impl Random {
    /// From a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `n`; 0 when that is 0.
    pub fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.number() >> 33).unwrap_or_default() % n.max(1)
    }
}

/// Pieces that parsers have special cases for.
const WORDS: [&[u8]; 40] = [
    b"\r\n",
    b"\r\n\r\n",
    b"\n",
    b" ",
    b"\t",
    b"<",
    b">",
    b"\"",
    b"\\",
    b";",
    b",",
    b":",
    b"=",
    b"@",
    b"%00",
    b"&amp;",
    b"&#0;",
    b"&lt;",
    b"]]>",
    b"<![CDATA[",
    b"<!--",
    b"<!DOCTYPE a [",
    b"/>",
    b"</data>",
    b"Content-Length: 0\r\n",
    b"l: 99999999999999999999\r\n",
    b"Via: SIP/2.0/TCP a;branch=z9hG4bK1\r\n",
    b"4294967296",
    b"-1",
    b"18446744073709551616",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\xf0\x9f\x98\x80",
    b"\0",
    b"$",
    b"'",
    b"`",
    b"{",
    b"[",
    b"null",
];
/// Largest result.
const MOST: usize = 64 * 1024;

/// `seed` with some changes; `other` is where pieces are taken from.
pub fn mutate(random: &mut Random, seed: &[u8], other: &[u8]) -> Vec<u8> {
    let mut out = seed.to_vec();
    for _ in 0..=random.below(6) {
        let at = random.below(out.len() + 1);
        let longest = 1 << random.below(8);
        let end = (at + random.below(longest)).min(out.len());
        match random.below(8) {
            0 if at < out.len() => out[at] ^= 1_u8 << random.below(8),
            1 if at < out.len() => out[at] = u8::try_from(random.below(256)).unwrap_or_default(),
            2 => drop(out.drain(at..end)),
            3 => {
                let piece = out[at..end].to_vec();
                out.splice(at..at, piece);
            }
            4 | 5 => drop(out.splice(at..at, WORDS[random.below(WORDS.len())].iter().copied())),
            6 => drop(out.splice(at..end, WORDS[random.below(WORDS.len())].iter().copied())),
            _ => {
                let from = random.below(other.len() + 1);
                let to = (from + random.below(200)).min(other.len());
                out.splice(at..end, other[from..to].iter().copied());
            }
        }
    }
    out.truncate(MOST);
    out
}
