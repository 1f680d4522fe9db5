//! The figures of a run, as a table for people and as JSON, and what they are aimed at.

use std::fmt;
use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};
use siyu_tests::table::{Table, thousands};

use crate::measure::Run;

/// All that was measured, with where and when.
pub struct Figures {
    date: String,
    processors: usize,
    memory_mb: u64,
    loads: Vec<Load>,
    singles: Vec<Single>,
    aims: Vec<Aim>,
}

struct Load {
    name: String,
    per_second: u64,
    p50: Duration,
    p99: Duration,
    processor: Duration,
    peak_kb: u64,
}

struct Single {
    name: &'static str,
    value: u64,
    unit: &'static str,
}

struct Aim {
    what: &'static str,
    aim: String,
    measured: String,
    reached: bool,
}

impl Figures {
    /// No figures yet, of this machine, today (UTC).
    ///
    /// # Errors
    /// Where there is no `/proc`.
    pub fn of_this_machine() -> Result<Self> {
        let memory = std::fs::read_to_string("/proc/meminfo")?;
        let total = memory.lines().find_map(|line| line.strip_prefix("MemTotal:")).unwrap_or_default();
        Ok(Self {
            date: jiff::Timestamp::now().strftime("%Y-%m-%d").to_string(),
            processors: std::thread::available_parallelism()?.get(),
            memory_mb: total.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap_or(0) / 1024,
            loads: Vec::new(),
            singles: Vec::new(),
            aims: Vec::new(),
        })
    }

    /// A run of a server, and the most memory that it took.
    pub fn load(&mut self, name: &str, run: &Run, peak_kb: u64) {
        let measured = &run.measured;
        self.loads.push(Load {
            name: name.to_owned(),
            per_second: measured.per_second(),
            p50: measured.percentile(50),
            p99: measured.percentile(99),
            processor: run.processor,
            peak_kb,
        });
    }

    /// A single figure.
    pub fn single(&mut self, name: &'static str, value: u64, unit: &'static str) {
        self.singles.push(Single { name, value, unit });
    }

    /// An aim, and whether it was reached.
    pub fn aim(&mut self, what: &'static str, aim: impl Into<String>, measured: impl Into<String>, reached: bool) {
        self.aims.push(Aim { what, aim: aim.into(), measured: measured.into(), reached });
    }

    /// Everything as JSON. Times are microseconds.
    pub fn json(&self) -> Value {
        let micros = |duration: Duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let loads = self.loads.iter().map(|load| {
            json!({
                "name": load.name, "per_second": load.per_second,
                "p50_us": micros(load.p50), "p99_us": micros(load.p99),
                "processor_us_per_request": micros(load.processor), "peak_memory_kb": load.peak_kb,
            })
        });
        let singles = self.singles.iter().map(|one| json!({"name": one.name, "value": one.value, "unit": one.unit}));
        let aims = self
            .aims
            .iter()
            .map(|aim| json!({"what": aim.what, "aim": aim.aim, "measured": aim.measured, "reached": aim.reached}));
        json!({
            "date": self.date,
            "machine": {"processors": self.processors, "memory_mb": self.memory_mb},
            "loads": loads.collect::<Vec<_>>(),
            "singles": singles.collect::<Vec<_>>(),
            "aims": aims.collect::<Vec<_>>(),
        })
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}, {} processors, {} MB of memory, load generator on the same machine\n",
            self.date,
            self.processors,
            thousands(self.memory_mb)
        )?;
        if !self.loads.is_empty() {
            let mut table = Table::new(&["", "requests/s", "p50", "p99", "processor/request", "peak memory"]);
            for load in &self.loads {
                table.row(&[
                    load.name.clone(),
                    thousands(load.per_second),
                    millis(load.p50),
                    millis(load.p99),
                    format!("{} µs", load.processor.as_micros()),
                    format!("{} MB", load.peak_kb / 1024),
                ]);
            }
            writeln!(f, "{table}")?;
        }
        if !self.singles.is_empty() {
            let mut table = Table::new(&["", "measured"]);
            for one in &self.singles {
                table.row(&[one.name.to_owned(), format!("{} {}", thousands(one.value), one.unit)]);
            }
            writeln!(f, "{table}")?;
        }
        if !self.aims.is_empty() {
            let mut table = Table::new(&["aim", "wanted", "measured", ""]);
            for aim in &self.aims {
                let verdict = if aim.reached { "reached" } else { "NOT REACHED" };
                table.row(&[aim.what, &aim.aim, &aim.measured, verdict]);
            }
            writeln!(f, "{table}")?;
        }
        Ok(())
    }
}

/// Milliseconds with two decimals.
pub fn millis(duration: Duration) -> String {
    let micros = duration.as_micros();
    format!("{}.{:02} ms", micros / 1000, micros % 1000 / 10)
}
