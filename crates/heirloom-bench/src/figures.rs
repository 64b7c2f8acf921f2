//! Figures beside their limits.

use std::time::Duration;

/// A table, printed row by row as the figures come.
pub(crate) struct Figures {
    columns: usize,
}

impl Figures {
    /// Prints the head of a table of figures, each with its limit and its peer.
    pub(crate) fn of(title: &str) -> Self {
        Self::titled(title, &["figure", "limit", "peer"])
    }

    /// Prints the head: what is measured, and the columns after its name.
    pub(crate) fn titled(title: &str, columns: &[&str]) -> Self {
        println!("\n{title}\n");
        print!("{:36}", "");
        for column in columns {
            print!(" {column:>18}");
        }
        println!();
        Self {
            columns: columns.len(),
        }
    }

    /// Prints one row; `is_missed` marks it.
    pub(crate) fn row(&self, name: &str, cells: &[&str], is_missed: bool) {
        assert_eq!(cells.len(), self.columns);
        print!("{name:36}");
        for cell in cells {
            print!(" {cell:>18}");
        }
        println!("{}", if is_missed { "  MISSED" } else { "" });
    }

    /// Prints a figure that has neither limit nor peer.
    pub(crate) fn plain(&self, name: &str, figure: &str) {
        self.row(name, &[figure, "", ""], false);
    }

    /// Prints a figure that has to be at most `limit`, both in `unit`.
    pub(crate) fn at_most(&self, name: &str, figure: f64, limit: f64, unit: &str) {
        let cells = [&in_unit(figure, unit), &in_unit(limit, unit), ""];
        self.row(name, &cells, figure > limit);
    }

    /// Prints a figure that has to be at least `limit`, both in `unit`.
    pub(crate) fn at_least(&self, name: &str, figure: f64, limit: f64, unit: &str) {
        let cells = [&in_unit(figure, unit), &in_unit(limit, unit), ""];
        self.row(name, &cells, figure < limit);
    }

    /// Prints a rate that has to be at least `share` of its peer's, both in `unit`.
    pub(crate) fn beside(
        &self,
        name: &str,
        figure: f64,
        share: f64,
        peer: (&str, f64),
        unit: &str,
    ) {
        let limit = in_unit(peer.1 * share, unit);
        let peer_cell = format!("{} {}", peer.0, in_unit(peer.1, unit));
        let cells = [&in_unit(figure, unit), limit.as_str(), &peer_cell];
        self.row(name, &cells, figure < peer.1 * share);
    }
}

fn in_unit(figure: f64, unit: &str) -> String {
    let digits = match figure.abs() {
        100.0.. => 0,
        10.0..100.0 => 1,
        _ => 2,
    };
    format!("{figure:.digits$} {unit}").trim_end().to_owned()
}

/// Milliseconds for people.
pub(crate) fn ms(duration: Duration) -> String {
    format!("{:.1} ms", duration.as_secs_f64() * 1e3)
}

/// The duration that `percent` of 100 are not longer than.
pub(crate) fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let at = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted[at]
}

/// Megabytes of a line of proc(5)'s `status`: `VmHWM` is the most that a process ever had resident,
/// `VmRSS` what it has now.
pub(crate) fn resident_mb(process: u32, line: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|text| text.starts_with(line)).unwrap();
    let digits: String = line.chars().filter(char::is_ascii_digit).collect();
    digits.parse::<f64>().unwrap() * 1024.0 / 1e6
}
