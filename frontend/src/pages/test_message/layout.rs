//! Where the bars of the waterfall stand: time to the right, sender above receiver, steps that overlap
//! one below the other.

use shared::synthetic::{Role, StepRecord};

/// Width of the drawing in its own units.
pub const WIDTH: f64 = 1000.0;
/// Height of a row.
pub const ROW: f64 = 26.0;
/// Height of a lane's title.
pub const TITLE: f64 = 22.0;

/// A bar.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    /// Left edge.
    pub x: f64,
    /// Width, at least so much that it is seen.
    pub width: f64,
    /// Row within its lane, from 0.
    pub row: usize,
    /// Which step it is.
    pub step: usize,
}

/// A lane.
#[derive(Debug, Clone, PartialEq)]
pub struct Lane {
    /// Whose.
    pub role: Role,
    /// Its bars.
    pub bars: Vec<Bar>,
    /// How many rows they take, at least one.
    pub rows: usize,
}

/// The two lanes and the time that the whole width stands for, in microseconds.
pub fn lay_out(steps: &[StepRecord]) -> ([Lane; 2], u64) {
    let total = steps.iter().map(|s| s.started_us + s.duration_us).max().unwrap_or(0).max(1);
    ([lane(steps, Role::Sender, total), lane(steps, Role::Receiver, total)], total)
}

#[expect(clippy::cast_precision_loss, reason = "a run's microseconds lie far below 2^53")]
fn lane(steps: &[StepRecord], role: Role, total: u64) -> Lane {
    let scale = WIDTH / total as f64;
    let mut ends: Vec<u64> = Vec::new();
    let mut bars = Vec::new();
    for (step, s) in steps.iter().enumerate().filter(|(_, s)| s.role == role) {
        let end = s.started_us + s.duration_us;
        let row = ends.iter().position(|e| *e <= s.started_us).unwrap_or(ends.len());
        match ends.get_mut(row) {
            Some(e) => *e = end,
            None => ends.push(end),
        }
        let width = (s.duration_us as f64 * scale).max(2.0);
        let x = (s.started_us as f64 * scale).min(WIDTH - width);
        bars.push(Bar { x, width, row, step });
    }
    Lane { role, bars, rows: ends.len().max(1) }
}

/// Times for the axis, in microseconds: zero and at most eight round ones.
pub fn ticks(total_us: u64) -> Vec<u64> {
    let mut step = 1_u64;
    while total_us / step > 8 {
        // 1, 2, 5, 10, 20, 50 …
        step = match step.to_string().as_bytes()[0] {
            b'2' => step / 2 * 5,
            _ => step * 2,
        };
    }
    (0..=total_us / step).map(|i| i * step).collect()
}

/// `Sender` or `Receiver`.
pub fn role_word(role: Role) -> &'static str {
    match role {
        Role::Sender => "Sender",
        Role::Receiver => "Receiver",
    }
}

#[cfg(test)]
mod tests {
    use shared::synthetic::Phase;

    use super::*;

    fn step(role: Role, started_us: u64, duration_us: u64) -> StepRecord {
        StepRecord { role, phase: Phase::Connect, started_us, duration_us, ok: true, detail: String::new() }
    }

    #[test]
    fn overlapping_steps_stand_below_each_other() {
        let steps = [
            step(Role::Sender, 0, 100),
            step(Role::Sender, 50, 100),
            step(Role::Sender, 150, 50),
            step(Role::Receiver, 0, 10),
        ];
        let ([sender, receiver], total) = lay_out(&steps);
        assert_eq!(total, 200);
        assert_eq!(sender.bars.iter().map(|b| b.row).collect::<Vec<_>>(), [0, 1, 0]);
        assert_eq!((sender.rows, receiver.rows), (2, 1));
        assert!((sender.bars[1].x - 250.0).abs() < 1e-9);
    }

    #[test]
    fn nothing_stands_outside_and_nothing_is_invisible() {
        let steps = [step(Role::Sender, 0, 1_000_000), step(Role::Receiver, 999_999, 1)];
        for lane in lay_out(&steps).0 {
            assert!(lane.bars.iter().all(|b| b.width >= 2.0 && b.x >= 0.0 && b.x + b.width <= WIDTH + 1e-9));
        }
        assert_eq!(lay_out(&[]).1, 1);
    }

    #[test]
    fn ticks_are_few_and_round() {
        for total in [1, 7, 999, 41_250, 78_211, 10_060_000] {
            let t = ticks(total);
            assert!(t.len() <= 9 && t[0] == 0 && t.last().is_some_and(|l| *l <= total), "{total}: {t:?}");
        }
        let fives: Vec<u64> = (0..=8).map(|n| n * 5_000).collect();
        assert_eq!(ticks(41_250), fives);
        assert_eq!(ticks(45_250), [0, 10_000, 20_000, 30_000, 40_000]);
    }
}
