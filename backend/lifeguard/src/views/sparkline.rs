//! The last test messages of a pool as a small line, for pages that are rendered here.

use std::fmt::Write;

/// Width and height of what is drawn.
const SIZE: (u64, u64) = (120, 20);

/// The line, oldest first; a failed test message (none) is a mark at the foot, and a gap in the line. Empty
/// for less than two. Words say the same.
pub fn svg(values: &[Option<u64>]) -> String {
    let Some(last) = values.len().checked_sub(1).filter(|n| *n > 0) else { return String::new() };
    let most = values.iter().flatten().copied().max().unwrap_or(0);
    let failed = values.iter().filter(|v| v.is_none()).count();
    let (mut line, mut marks, mut pen_up) = (String::new(), String::new(), true);
    for (i, v) in values.iter().enumerate() {
        let x = u64::try_from(i).unwrap_or(0) * SIZE.0 / u64::try_from(last).unwrap_or(1);
        // Writing to a text does not fail.
        let _ = match v {
            Some(us) => {
                let y = SIZE.1 - us * SIZE.1 / most.max(1);
                // A dot for one that stands alone.
                write!(line, "{}{x} {y}h.1", if pen_up { 'M' } else { 'L' })
            }
            None => write!(marks, "M{x} 16v6"),
        };
        pen_up = v.is_none();
    }
    let latency = if most > 0 {
        format!(", latency at most {}.{} ms", most / 1000, most % 1000 / 100)
    } else {
        String::new()
    };
    format!(
        "<svg class=\"sparkline\" viewBox=\"-3 -2 126 26\" width=\"126\" height=\"26\" role=\"img\"><title>The last {} test messages: {failed} failed{latency}</title>\
         <path class=\"line\" d=\"{line}\"/><path class=\"failed\" d=\"{marks}\"/></svg>",
        values.len(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_breaks_the_line_and_leaves_a_mark() {
        let s = svg(&[Some(10_000), None, Some(5_250), Some(0)]);
        assert!(s.contains("d=\"M0 0h.1M80 10h.1L120 20h.1\""), "{s}");
        assert!(s.contains("d=\"M40 16v6\""), "{s}");
        assert!(
            s.contains("<title>The last 4 test messages: 1 failed, latency at most 10.0 ms</title>"),
            "{s}"
        );
        assert_eq!((svg(&[]), svg(&[Some(1)])), (String::new(), String::new()));
        let none = svg(&[None, None]);
        assert!(none.contains("2 failed</title>") && none.contains("d=\"\""), "{none}");
    }
}
