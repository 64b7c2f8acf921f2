//! Figures beside their limits.

use std::time::Duration;

/// A table of figures, printed row by row as they come.
pub(crate) struct Figures {
    columns: Vec<&'static str>,
}

impl Figures {
    /// Prints the head: what is measured, and the columns after its name.
    pub(crate) fn titled(title: &str, columns: &[&'static str]) -> Self {
        println!("\n{title}\n");
        print!("{:34}", "");
        for column in columns {
            print!(" {column:>12}");
        }
        println!();
        Self {
            columns: columns.to_vec(),
        }
    }

    /// Prints one row; `is_missed` marks it.
    pub(crate) fn row(&self, name: &str, cells: &[String], is_missed: bool) {
        assert_eq!(cells.len(), self.columns.len());
        print!("{name:34}");
        for cell in cells {
            print!(" {cell:>12}");
        }
        println!("{}", if is_missed { "  MISSED" } else { "" });
    }
}

/// Milliseconds for people.
pub(crate) fn ms(duration: Duration) -> String {
    format!("{:.1} ms", duration.as_secs_f64() * 1e3)
}

/// The processor time that this process has used so far, all threads together (from the kernel's
/// scheduler: proc(5), `schedstat`). Unlike time on the wall it means something on a busy machine.
pub(crate) fn processor_time() -> Duration {
    let tasks = std::fs::read_dir("/proc/self/task")
        .into_iter()
        .flatten()
        .flatten();
    let used = tasks.filter_map(|task| {
        let text = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(used.sum())
}

/// The duration that `percent` of 100 are not longer than.
pub(crate) fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let at = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted[at]
}
