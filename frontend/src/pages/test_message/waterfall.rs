//! The waterfall: two lanes of bars over time. The list of steps beside it says the same in words.

use leptos::prelude::*;
use shared::synthetic::StepRecord;

use super::layout::{Bar, Lane, ROW, TITLE, WIDTH, lay_out, role_word, ticks};
use crate::time::millis_of_us;

/// Space for the axis below the lanes.
const AXIS: f64 = 24.0;
/// About the width of a letter, to know which words fit into their bar.
const LETTER: f64 = 7.4;

/// The drawing.
#[component]
pub fn Waterfall(
    /// The steps so far.
    steps: Signal<Vec<StepRecord>>,
) -> impl IntoView {
    move || {
        steps.with(|steps| {
            let ([sender, receiver], total) = lay_out(steps);
            let first = lane_height(&sender);
            let lanes = first + lane_height(&receiver);
            view! {
                <div class="waterfall" tabindex="0" role="group" aria-label="Waterfall of the steps">
                    <svg viewBox=format!("-4 0 {} {}", WIDTH + 8.0, lanes + AXIS) role="img" aria-label="The steps of sender and receiver over time; the list of steps has the numbers">
                        {axis(total, lanes)}
                        {draw_lane(&sender, 0.0, steps)}
                        {draw_lane(&receiver, first, steps)}
                    </svg>
                </div>
            }
        })
    }
}

fn lane_height(lane: &Lane) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a handful of rows")]
    let rows = lane.rows as f64;
    TITLE + rows * ROW + 8.0
}

fn axis(total: u64, height: f64) -> AnyView {
    #[expect(clippy::cast_precision_loss, reason = "a run's microseconds lie far below 2^53")]
    let at = |us: u64| us as f64 / total as f64 * WIDTH;
    ticks(total)
        .into_iter()
        .map(|us| {
            let x = at(us);
            let word = if us == 0 { "0".to_owned() } else { millis_of_us(us) };
            let anchor = if us == 0 {
                "start"
            } else if x > WIDTH - 40.0 {
                "end"
            } else {
                "middle"
            };
            view! {
                <line class="waterfall-tick" x1=x x2=x y1=0 y2=height />
                <text class="waterfall-time" x=x y=height + 16.0 text-anchor=anchor>{word}</text>
            }
        })
        .collect_view()
        .into_any()
}

fn draw_lane(lane: &Lane, top: f64, steps: &[StepRecord]) -> AnyView {
    let bars = lane.bars.iter().map(|b| bar(b, top + TITLE, &steps[b.step])).collect_view();
    view! {
        <text class="waterfall-lane" x="0" y=top + 15.0>{role_word(lane.role)}</text>
        {bars}
    }
    .into_any()
}

fn bar(b: &Bar, top: f64, step: &StepRecord) -> AnyView {
    let word = step.phase.title();
    #[expect(clippy::cast_precision_loss, reason = "a short word and a handful of rows")]
    let (needed, y) = (word.len() as f64 * LETTER + 10.0, top + b.row as f64 * ROW);
    let class = if step.ok { "waterfall-bar" } else { "waterfall-bar waterfall-bad" };
    let title = format!("{word}: {} from {}", millis_of_us(step.duration_us), millis_of_us(step.started_us));
    view! {
        <g>
            <title>{title}</title>
            <rect class=class x=b.x y=y width=b.width height=ROW - 6.0 rx="3" />
            {(b.width > needed).then(|| view! { <text class="waterfall-word" x=b.x + 6.0 y=y + 14.0>{word}</text> })}
        </g>
    }
    .into_any()
}
