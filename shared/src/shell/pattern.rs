//! `-match`: the part of regular expressions that administrators type, without case. A crate for the rest
//! would weigh more than the page's whole shell.

/// A piece of a pattern.
#[derive(Debug, Clone)]
enum Piece {
    Literal(char),
    Any,
    Class(Vec<(char, char)>, bool),
    Group(Vec<Vec<Item>>),
    Start,
    End,
    /// `\\b` (true) and `\\B`.
    Boundary(bool),
}

#[derive(Debug, Clone)]
struct Item {
    piece: Piece,
    min: usize,
    max: usize,
}

/// Longest pattern and most steps of a match: a pattern cannot hang the page.
const MAX_PATTERN: usize = 1000;
const MAX_STEPS: usize = 200_000;

struct Reader<'a> {
    chars: std::iter::Peekable<std::str::Chars<'a>>,
    depth: usize,
}

impl Reader<'_> {
    fn alternatives(&mut self, inside: bool) -> Result<Vec<Vec<Item>>, String> {
        self.depth += 1;
        if self.depth > 20 {
            return Err("the pattern is nested too deeply".to_owned());
        }
        let mut all = vec![Vec::new()];
        while let Some(c) = self.chars.next() {
            let piece = match c {
                ')' if inside => {
                    self.depth -= 1;
                    return Ok(all);
                }
                '|' => {
                    all.push(Vec::new());
                    continue;
                }
                '(' => {
                    if self.chars.peek() == Some(&'?') {
                        self.chars.next();
                        if self.chars.next() != Some(':') {
                            return Err("of (?…) only (?:…) is known here".to_owned());
                        }
                    }
                    Piece::Group(self.alternatives(true)?)
                }
                '.' => Piece::Any,
                '^' => Piece::Start,
                '$' => Piece::End,
                '[' => self.class()?,
                '\\' => escape(self.chars.next().ok_or("the pattern ends with a backslash")?),
                '*' | '+' | '?' => return Err(format!("'{c}' stands after nothing")),
                c => Piece::Literal(c),
            };
            let (min, max) = match self.chars.peek() {
                Some('*') => (0, usize::MAX),
                Some('+') => (1, usize::MAX),
                Some('?') => (0, 1),
                Some('{') => self.counted(),
                _ => (1, 1),
            };
            if (min, max) != (1, 1) {
                self.chars.next();
                // Lazy or not, the same texts match.
                self.chars.next_if_eq(&'?');
            }
            if let Some(last) = all.last_mut() {
                last.push(Item { piece, min, max });
            }
        }
        if inside { Err("a closing parenthesis is missing".to_owned()) } else { Ok(all) }
    }

    /// `{n}`, `{n,}`, `{n,m}`, up to the closing brace; anything else is the brace itself.
    fn counted(&mut self) -> (usize, usize) {
        let inner: String = self.chars.clone().skip(1).take_while(|c| *c != '}').take(8).collect();
        let (low, high) = inner.split_once(',').unwrap_or((&inner, &inner));
        let (Ok(min), true) = (low.parse::<u8>(), self.chars.clone().any(|c| c == '}')) else {
            return (1, 1);
        };
        let max = if high.is_empty() { usize::MAX } else { high.parse::<u8>().unwrap_or(min).into() };
        let min = min.into();
        for _ in 0..=inner.chars().count() {
            self.chars.next();
        }
        if (min, max) == (1, 1) {
            self.chars.next();
        }
        (min, max)
    }

    fn class(&mut self) -> Result<Piece, String> {
        let negated = self.chars.next_if_eq(&'^').is_some();
        let mut ranges = Vec::new();
        loop {
            let c = match self.chars.next().ok_or("a closing bracket ] is missing")? {
                ']' if !ranges.is_empty() => return Ok(Piece::Class(ranges, negated)),
                '\\' => match escape(self.chars.next().ok_or("a closing bracket ] is missing")?) {
                    Piece::Class(more, _) => {
                        ranges.extend(more);
                        continue;
                    }
                    Piece::Literal(c) => c,
                    _ => continue,
                },
                c => c,
            };
            let mut ahead = self.chars.clone();
            if ahead.next() == Some('-') && ahead.next().is_some_and(|e| e != ']') {
                self.chars.next();
                let end = self.chars.next().unwrap_or(c);
                ranges.push((c, end));
            } else {
                ranges.push((c, c));
            }
        }
    }
}

fn escape(c: char) -> Piece {
    let word = || vec![('a', 'z'), ('A', 'Z'), ('0', '9'), ('_', '_')];
    let space = || vec![(' ', ' '), ('\t', '\t'), ('\n', '\n'), ('\r', '\r')];
    match c {
        'd' => Piece::Class(vec![('0', '9')], false),
        'D' => Piece::Class(vec![('0', '9')], true),
        'w' => Piece::Class(word(), false),
        'W' => Piece::Class(word(), true),
        's' => Piece::Class(space(), false),
        'S' => Piece::Class(space(), true),
        'b' => Piece::Boundary(true),
        'B' => Piece::Boundary(false),
        't' => Piece::Literal('\t'),
        'n' => Piece::Literal('\n'),
        c => Piece::Literal(c),
    }
}

fn same(a: char, b: char, case: bool) -> bool {
    a == b || !case && a.to_lowercase().eq(b.to_lowercase())
}

struct Run<'a> {
    text: &'a [char],
    steps: usize,
    case: bool,
}

impl Run<'_> {
    /// Calls `then` with every end of `items` from `at`, until it says yes.
    fn items(&mut self, items: &[Item], at: usize, then: &mut dyn FnMut(&mut Self, usize) -> bool) -> bool {
        let Some((first, rest)) = items.split_first() else { return then(self, at) };
        self.repeat(first, rest, at, 0, then)
    }

    fn repeat(
        &mut self,
        item: &Item,
        rest: &[Item],
        at: usize,
        done: usize,
        then: &mut dyn FnMut(&mut Self, usize) -> bool,
    ) -> bool {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            return false;
        }
        if done < item.max {
            let more = self.piece(&item.piece, at, &mut |run, end| {
                // An empty repetition would go on for ever.
                (end > at || done < item.min) && run.repeat(item, rest, end, done + 1, then)
            });
            if more {
                return true;
            }
        }
        done >= item.min && self.items(rest, at, then)
    }

    fn piece(&mut self, p: &Piece, at: usize, then: &mut dyn FnMut(&mut Self, usize) -> bool) -> bool {
        let c = self.text.get(at).copied();
        let case = self.case;
        let word = |c: Option<&char>| c.is_some_and(|c| c.is_alphanumeric() || *c == '_');
        match p {
            Piece::Boundary(wanted) => {
                let before = at.checked_sub(1).and_then(|n| self.text.get(n));
                (word(before) != word(self.text.get(at))) == *wanted && then(self, at)
            }
            Piece::Start => at == 0 && then(self, at),
            Piece::End => at == self.text.len() && then(self, at),
            Piece::Any => c.is_some_and(|c| c != '\n') && then(self, at + 1),
            Piece::Literal(l) => c.is_some_and(|c| same(c, *l, self.case)) && then(self, at + 1),
            Piece::Class(ranges, negated) => {
                let inside = |c: char| {
                    let hit = |c: char| ranges.iter().any(|(a, b)| *a <= c && c <= *b);
                    hit(c) || (!case && (c.to_lowercase().any(hit) || c.to_uppercase().any(hit)))
                };
                c.is_some_and(|c| inside(c) != *negated) && then(self, at + 1)
            }
            Piece::Group(all) => all.iter().any(|items| self.items(items, at, then)),
        }
    }
}

/// Whether `text` contains a match; `case`: capitals count.
///
/// # Errors
/// What is wrong with the pattern.
pub fn is_match(pattern: &str, text: &str, case: bool) -> Result<bool, String> {
    if pattern.len() > MAX_PATTERN {
        return Err("the pattern is too long".to_owned());
    }
    let all = Reader { chars: pattern.chars().peekable(), depth: 0 }.alternatives(false)?;
    let chars: Vec<char> = text.chars().collect();
    let mut run = Run { text: &chars, steps: 0, case };
    Ok((0..=chars.len()).any(|at| all.iter().any(|items| run.items(items, at, &mut |_, _| true))))
}

#[cfg(test)]
mod tests {
    use super::is_match;

    #[test]
    fn what_administrators_type() {
        for (p, t, hit) in [
            ("Set-CsPersistentChatState", "set-cspersistentchatstate", true),
            ("^Get-.*State$", "Get-CsPersistentChatState", true),
            ("^Get-.*State$", "Set-CsPersistentChatState", false),
            ("gc-00[1-3]", "gc-002", true),
            ("gc-00[^1-3]", "gc-002", false),
            ("(atl|dub)-\\w+-\\d+", "dub-pc-001", true),
            ("a+b?c", "aac", true),
            ("Set-CsUser\\b", "Set-CsUser", true),
            ("Set-CsUser\\b", "Set-CsUserAcp", false),
            ("^a{2,3}$", "aaa", true),
            ("^a{2,3}$", "a", false),
            ("a.*?c", "abc", true),
            ("", "x", true),
            ("(a*)*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
        ] {
            assert_eq!(is_match(p, t, false), Ok(hit), "{p} on {t}");
        }
        assert!(
            is_match("(", "x", false).is_err()
                && is_match("*", "x", false).is_err()
                && is_match("[a", "x", false).is_err()
        );
    }
}
