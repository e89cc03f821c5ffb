//! The history as a drawing, with tables that say the same.

use leptos::prelude::*;
use shared::api::{PhaseNumbers, TestHistory, TestSlice};

use crate::api::Current;
use crate::components::{Column, DataTable};
use crate::time::{exact, millis_of_us};

/// The drawing in its own units.
const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 140.0;
/// Space on top and below the lines.
const EDGE: f64 = 10.0;

type Cells = Vec<String>;

fn cell(n: usize) -> fn(&Cells) -> String {
    const OF: [fn(&Cells) -> String; 6] = [
        |r| r[0].clone(),
        |r| r[1].clone(),
        |r| r[2].clone(),
        |r| r[3].clone(),
        |r| r[4].clone(),
        |r| r[5].clone(),
    ];
    OF[n]
}

fn table(name: &'static str, heads: [&'static str; 6], rows: Vec<Cells>) -> AnyView {
    let column = |(i, h): (usize, &'static str)| {
        let c = Column::<Cells>::new(h, cell(i));
        if i == 0 { c } else { c.number() }
    };
    let columns = heads.into_iter().enumerate().map(column).collect();
    let rows = Memo::new(move |_| rows.clone());
    view! { <DataTable rows columns name plain=true empty=|| "Nothing was measured yet." /> }.into_any()
}

fn span(us: Option<u64>) -> String {
    us.map_or_else(|| "–".to_owned(), millis_of_us)
}

/// A line through the values; where there is none it is broken.
fn line(values: &[Option<u64>], most: u64, width: f64, height: f64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "microseconds and a few dozen values")]
    let at = |i: usize, v: u64| {
        let x = if values.len() < 2 { width / 2.0 } else { i as f64 / (values.len() - 1) as f64 * width };
        (x, height - v as f64 / most.max(1) as f64 * height)
    };
    let mut path = String::new();
    let mut pen = 'M';
    for (i, v) in values.iter().enumerate() {
        let Some(v) = v else {
            pen = 'M';
            continue;
        };
        let (x, y) = at(i, *v);
        path.push_str(&format!("{pen}{x:.1} {y:.1}"));
        if pen == 'M' {
            // A lone value is seen as a dot.
            path.push_str("h.1");
        }
        pen = 'L';
    }
    path
}

/// Latency over time: median and 95 of 100; below it where test messages failed.
#[component]
pub fn Chart(past: Current<TestHistory>) -> impl IntoView {
    let slices = Memo::new(move |_| past.with(|p| p.slices.clone()));
    move || {
        let s = slices.get();
        (s.len() > 1).then(|| view! { {draw(&s)} <details class="card"><summary>"The chart as a table"</summary>{as_table(&s)}</details> })
    }
}

fn draw(s: &[TestSlice]) -> AnyView {
    let most = s.iter().filter_map(|s| s.p95_us).max().unwrap_or(1);
    let path =
        |of: fn(&TestSlice) -> Option<u64>| line(&s.iter().map(of).collect::<Vec<_>>(), most, WIDTH, HEIGHT);
    #[expect(clippy::cast_precision_loss, reason = "a few dozen slices")]
    let failed = |(i, f): (usize, &TestSlice)| {
        let x = i as f64 / (s.len() - 1) as f64 * WIDTH;
        let share = f64::from(f.failed) / f64::from((f.failed + f.succeeded).max(1)) * 24.0;
        (f.failed > 0).then(|| {
            let title = format!("{} of {} failed", f.failed, f.failed + f.succeeded);
            view! { <rect class="history-failed" x=x - 3.0 y=HEIGHT + 30.0 - share width="6" height=share.max(4.0)><title>{title}</title></rect> }
        })
    };
    let (first, last) = (exact(s[0].from), exact(s[s.len() - 1].to));
    view! {
        <figure class="history-chart">
            <svg viewBox=format!("-8 {} {} {}", -EDGE, WIDTH + 16.0, HEIGHT + 34.0 + EDGE) role="img"
                aria-label="Latency over time, median and 95 of 100, and where test messages failed; the table has the numbers">
                <line class="history-base" x1="0" x2=WIDTH y1=HEIGHT y2=HEIGHT />
                <path class="history-p95" d=path(|s| s.p95_us) />
                <path class="history-median" d=path(|s| s.median_us) />
                {s.iter().enumerate().map(failed).collect_view()}
            </svg>
            <figcaption class="history-legend muted">
                <span>{first}</span>
                <span><i class="history-key history-key-median"></i>"median "<i class="history-key history-key-p95"></i>"95 of 100, at most "{millis_of_us(most)}" "<i class="history-key history-key-failed"></i>"failed"</span>
                <span>{last}</span>
            </figcaption>
        </figure>
    }
    .into_any()
}

fn as_table(s: &[TestSlice]) -> AnyView {
    let row = |s: &TestSlice| {
        let (median, p95) = (span(s.median_us), span(s.p95_us));
        vec![exact(s.from), exact(s.to), s.succeeded.to_string(), s.failed.to_string(), median, p95]
    };
    let rows = s.iter().rev().map(row).collect();
    table("history-chart", ["From", "To", "Succeeded", "Failed", "Median", "95 of 100"], rows)
}

/// The phases of those that went well.
#[component]
pub fn Phases(past: Current<TestHistory>) -> impl IntoView {
    let row = |p: &PhaseNumbers| {
        let name = p.phase.map_or("Latency: first send to second receipt", |p| p.title());
        let [median, p95, p99, max] = [p.median_us, p.p95_us, p.p99_us, p.max_us].map(millis_of_us);
        vec![name.to_owned(), p.count.to_string(), median, p95, p99, max]
    };
    let phases = Memo::new(move |_| past.with(|p| (p.phases.clone(), p.measured)));
    move || {
        let (phases, measured) = phases.get();
        let most = phases.iter().map(|p| p.p99_us).max().unwrap_or(1).max(1);
        view! {
            <p class="muted">{format!("Of the {measured} newest that were not cancelled, those that went well; both users count.")}</p>
            {(!phases.is_empty()).then(|| bars(&phases, most))}
            {table("history-phases", ["Phase", "Measured", "Median", "95 of 100", "99 of 100", "Longest"], phases.iter().map(row).collect())}
        }
    }
}

/// A bar for each phase: full to the median, lighter to 95, a line to 99 of 100.
fn bars(phases: &[PhaseNumbers], most: u64) -> AnyView {
    const LINE: f64 = 24.0;
    const WORDS: f64 = 190.0;
    #[expect(clippy::cast_precision_loss, reason = "microseconds, and a dozen rows")]
    let bar = |(i, p): (usize, &PhaseNumbers)| {
        let y = i as f64 * LINE;
        let x = |us: u64| us as f64 / most as f64 * (WIDTH - WORDS);
        view! {
            <text class="history-word" x="0" y=y + 16.0>{p.phase.map_or("Latency", |p| p.title())}</text>
            <line class="history-p99" x1=WORDS x2=WORDS + x(p.p99_us) y1=y + 12.0 y2=y + 12.0 />
            <rect class="history-bar-p95" x=WORDS y=y + 4.0 width=x(p.p95_us).max(1.0) height=LINE - 8.0 />
            <rect class="history-bar-median" x=WORDS y=y + 4.0 width=x(p.median_us).max(1.0) height=LINE - 8.0 />
        }
    };
    #[expect(clippy::cast_precision_loss, reason = "a dozen rows")]
    let height = phases.len() as f64 * LINE;
    view! {
        <div class="waterfall" tabindex="0" role="group" aria-label="Phases as bars">
            <svg viewBox=format!("0 0 {} {height}", WIDTH + 8.0) role="img" aria-label="Median, 95 and 99 of 100 of each phase; the table has the numbers">
                {phases.iter().enumerate().map(bar).collect_view()}
            </svg>
        </div>
    }
    .into_any()
}

/// The last test messages of a pool as a small line; a gap is a failure. Words say the same.
pub fn sparkline(values: &[Option<u64>]) -> Option<AnyView> {
    if values.len() < 2 {
        return None;
    }
    let most = values.iter().flatten().copied().max().unwrap_or(1);
    let failed = values.iter().filter(|v| v.is_none()).count();
    let words = format!(
        "The last {} test messages: {failed} failed, latency at most {}",
        values.len(),
        millis_of_us(most)
    );
    #[expect(clippy::cast_precision_loss, reason = "a few dozen values")]
    let gap = |(i, v): (usize, &Option<u64>)| {
        v.is_none().then(|| view! { <rect class="history-failed" x=i as f64 / (values.len() - 1) as f64 * 120.0 - 1.5 y="16" width="3" height="6" /> })
    };
    Some(
        view! {
            <svg class="sparkline" viewBox="-3 -2 126 26" role="img" aria-label=words>
                <title>{words.clone()}</title>
                <path class="history-median" d=line(values, most, 120.0, 20.0) />
                {values.iter().enumerate().map(gap).collect_view()}
            </svg>
        }
        .into_any(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_breaks_the_line() {
        assert_eq!(line(&[Some(10), None, Some(5)], 10, 100.0, 20.0), "M0.0 0.0h.1M100.0 10.0h.1");
        assert_eq!(line(&[Some(0), Some(10)], 10, 100.0, 20.0), "M0.0 20.0h.1L100.0 0.0");
        assert_eq!(line(&[], 0, 100.0, 20.0), "");
    }
}
