//! What of the draft runs now, and how: what the picture and its table say in colour and in words.

use std::collections::BTreeMap;

use shared::api::{Overview, PoolSummary};
use shared::topology::{Computer, Topology};

use crate::components::badge::{Badge, Tone, of_database, of_pool, of_server};

/// A few words with their colour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The words.
    pub text: String,
    /// Their colour.
    pub tone: Tone,
}

impl Line {
    fn new(text: impl Into<String>, tone: Tone) -> Self {
        Self { text: text.into(), tone }
    }

    /// Nothing to say.
    pub fn none() -> Self {
        Self::new("", Tone::Neutral)
    }
}

impl From<Badge> for Line {
    fn from(b: Badge) -> Self {
        Self::new(b.word, b.tone)
    }
}

/// The ending of CSS classes that colour a state.
pub fn shade(tone: Tone) -> &'static str {
    tone.class().trim_start_matches("badge badge-")
}

/// What runs, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Live {
    /// The portal has said what runs.
    known: bool,
    servers: BTreeMap<String, Badge>,
    pools: BTreeMap<String, Badge>,
    /// By pool and store label.
    stores: BTreeMap<(String, String), Badge>,
}

impl Live {
    /// From what the overview says.
    pub fn of(o: &Overview) -> Self {
        let mut out = Self { known: true, ..Self::default() };
        for r in &o.front_ends {
            out.servers.insert(r.fqdn.to_string(), of_server(&r.state));
        }
        for p in &o.pools {
            out.pools.insert(p.fqdn.to_string(), of_pool(p));
            for s in &p.servers {
                // Of two roles on one computer the one that does not run is shown.
                let own = of_server(&s.report.state);
                let shown = out.servers.entry(s.report.fqdn.to_string()).or_insert_with(|| own.clone());
                if own.tone != Tone::Good {
                    *shown = own;
                }
            }
            out.databases(p);
        }
        out
    }

    fn databases(&mut self, p: &PoolSummary) {
        for d in &p.databases {
            let own = of_database(d);
            let shown =
                self.stores.entry((p.fqdn.to_string(), d.store.clone())).or_insert_with(|| own.clone());
            if d.error.is_some() {
                *shown = own;
            }
        }
    }

    /// The state of a pool.
    pub fn pool(&self, fqdn: &str) -> Line {
        match self.pools.get(fqdn) {
            Some(b) => b.clone().into(),
            None => self.unpublished(),
        }
    }

    /// The state of the databases that a pool keeps at a store.
    pub fn store(&self, pool: &str, label: &str) -> Line {
        let found = self.stores.get(&(pool.to_owned(), label.to_owned()));
        found.cloned().map_or_else(Line::none, Line::from)
    }

    /// The colour of a server.
    pub fn server(&self, fqdn: &str) -> Tone {
        self.servers.get(fqdn).map_or(Tone::Neutral, |b| b.tone)
    }

    fn unpublished(&self) -> Line {
        if self.known { Line::new("Not published", Tone::Neutral) } else { Line::none() }
    }

    /// How the servers of a pool are, together; the first one that does not run is named.
    pub fn servers(&self, list: &[Computer]) -> Line {
        let states: Vec<_> = list.iter().map(|c| (c, self.servers.get(c.fqdn.as_str()))).collect();
        if states.iter().all(|(_, b)| b.is_none()) {
            return self.unpublished();
        }
        let all = list.len();
        let run = states.iter().filter(|(_, b)| b.is_some_and(|b| b.tone == Tone::Good)).count();
        if run == all {
            return Line::new(
                if all == 1 { "Runs".to_owned() } else { format!("All {all} run") },
                Tone::Good,
            );
        }
        let worst = |t: Tone| states.iter().find(|(_, b)| b.is_some_and(|b| b.tone == t));
        let first = worst(Tone::Bad)
            .or_else(|| worst(Tone::Active))
            .or_else(|| states.iter().find(|(_, b)| b.is_none_or(|b| b.tone != Tone::Good)));
        let (name, word, tone) = match first {
            Some((c, Some(b))) => (c.fqdn.host(), b.word.to_lowercase(), b.tone),
            Some((c, None)) => (c.fqdn.host(), "not published".to_owned(), Tone::Neutral),
            None => ("", String::new(), Tone::Neutral),
        };
        match all {
            1 => Line::new(word, tone),
            _ => Line::new(format!("{run} of {all} run; {name}: {word}"), tone),
        }
    }
}

/// In which data centres computers stand, with how many when there are several.
pub fn centres(t: &Topology, list: &[Computer]) -> String {
    let mut count: Vec<(&str, usize)> = Vec::new();
    for d in list.iter().filter_map(|c| t.data_center_of(&c.fqdn)) {
        match count.iter_mut().find(|(n, _)| *n == d.name) {
            Some((_, n)) => *n += 1,
            None => count.push((&d.name, 1)),
        }
    }
    match count.as_slice() {
        [(name, n)] if *n == list.len() => format!("in {name}"),
        several => several.iter().map(|(name, n)| format!("{n} in {name}")).collect::<Vec<_>>().join(", "),
    }
}

#[cfg(test)]
mod tests {
    use shared::sample::litware;
    use shared::topology::DataCenter;

    use super::*;
    use crate::components::Icon;

    #[test]
    fn servers_are_summed_up_and_the_first_that_does_not_run_is_named() {
        let t = litware();
        let list = &t.pools[0].computers;
        let mut live = Live::default();
        assert_eq!(live.servers(list), Line::none(), "nothing was said yet");
        live.known = true;
        assert_eq!(live.servers(list).text, "Not published");
        let badge = |word: &str, tone| Badge::new(word, tone, Icon::Tick);
        for c in list {
            live.servers.insert(c.fqdn.to_string(), badge("Running", Tone::Good));
        }
        assert_eq!(live.servers(list), Line::new("All 6 run", Tone::Good));
        live.servers.insert(list[1].fqdn.to_string(), badge("Stopped", Tone::Neutral));
        assert_eq!(live.servers(list), Line::new("5 of 6 run; gc-002: stopped", Tone::Neutral));
        live.servers.insert(list[4].fqdn.to_string(), badge("Failed", Tone::Bad));
        assert_eq!(live.servers(list), Line::new("4 of 6 run; gc-005: failed", Tone::Bad));
        assert_eq!(live.servers(&list[4..5]), Line::new("failed", Tone::Bad));
    }

    #[test]
    fn data_centres_are_counted_when_there_are_several() {
        let mut t = litware();
        let list = t.pools[0].computers.clone();
        t.data_centers.clear();
        assert_eq!(centres(&t, &list), "");
        let centre = |name: &str, these: &[Computer]| DataCenter {
            name: name.to_owned(),
            members: these.iter().map(|c| c.fqdn.clone()).collect(),
            slow_to: Vec::new(),
        };
        t.data_centers = vec![centre("Atlanta", &list)];
        assert_eq!(centres(&t, &list), "in Atlanta");
        t.data_centers = vec![centre("Atlanta", &list[..4]), centre("Dublin", &list[4..])];
        assert_eq!(centres(&t, &list), "4 in Atlanta, 2 in Dublin");
    }
}
