//! The rows that are printed: what was measured, against what, and whether the budget is kept.

use serde_json::{Value, json};

use super::sample::Sample;
use crate::shell::{Doing, Failure};

/// What a row is compared with.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Budget {
    /// Shown for orientation.
    None,
    /// At most this many times the other.
    Ratio(f64),
    /// At most this many times the other, or at most so much more (milliseconds).
    RatioOrMore(f64, f64),
}

/// Everything that was measured.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Vec<Row>,
    notes: Vec<String>,
}

#[derive(Debug)]
struct Row {
    part: &'static str,
    what: String,
    value: String,
    tail: String,
    ratio: Option<f64>,
    against: String,
    budget: String,
    kept: Option<bool>,
    data: Value,
}

fn milliseconds(sample: &Sample) -> (f64, f64) {
    (sample.median().as_secs_f64() * 1e3, sample.p99().as_secs_f64() * 1e3)
}

impl Table {
    /// A time that others are compared with.
    pub(crate) fn time(&mut self, part: &'static str, what: &str, sample: &Sample) {
        self.compare(part, what, sample, None, Budget::None);
    }

    /// A time, compared with another contender's.
    pub(crate) fn compare(
        &mut self,
        part: &'static str,
        what: &str,
        sample: &Sample,
        other: Option<(&str, &Sample)>,
        budget: Budget,
    ) {
        let (median, p99) = milliseconds(sample);
        let ratio = other.map(|(_, other)| sample.ratio(other));
        let more = other.map(|(_, other)| median - milliseconds(other).0);
        let (budget, kept) = match (budget, ratio, more) {
            (Budget::Ratio(most), Some(ratio), _) => (format!("≤ {most} ×"), Some(ratio <= most)),
            (Budget::RatioOrMore(most, milliseconds), Some(ratio), Some(more)) => {
                (format!("≤ {most} × or + {milliseconds} ms"), Some(ratio <= most || more <= milliseconds))
            }
            _ => (String::new(), None),
        };
        let against = other.map(|(name, _)| name.to_owned()).unwrap_or_default();
        let data = json!({ "median_ms": median, "p99_ms": p99 });
        let (value, tail) = (format!("{median:.3} ms"), format!("{p99:.3} ms"));
        self.rows.push(Row { part, what: what.to_owned(), value, tail, ratio, against, budget, kept, data });
    }

    /// A number of kibibytes with its most.
    pub(crate) fn memory(&mut self, part: &'static str, what: &str, kibibytes: u64, most: u64) {
        self.rows.push(Row {
            part,
            what: what.to_owned(),
            value: format!("{kibibytes} KiB"),
            tail: String::new(),
            ratio: None,
            against: String::new(),
            budget: format!("≤ {most} KiB"),
            kept: Some(kibibytes <= most),
            data: json!({ "kibibytes": kibibytes }),
        });
    }

    /// A number of times a second with its least.
    pub(crate) fn rate(&mut self, part: &'static str, what: &str, per_second: f64, least: f64) {
        self.rows.push(Row {
            part,
            what: what.to_owned(),
            value: format!("{:.2} M/s", per_second / 1e6),
            tail: String::new(),
            ratio: None,
            against: String::new(),
            budget: format!("≥ {:.2} M/s", least / 1e6),
            kept: Some(per_second >= least),
            data: json!({ "per_second": per_second }),
        });
    }

    /// A share of another contender's figure with its least.
    pub(crate) fn share(&mut self, part: &'static str, what: &str, share: f64, least: f64) {
        self.rows.push(Row {
            part,
            what: what.to_owned(),
            value: format!("{share:.2} ×"),
            tail: String::new(),
            ratio: None,
            against: String::new(),
            budget: format!("≥ {least} ×"),
            kept: Some(share >= least),
            data: json!({ "share": share }),
        });
    }

    /// A difference of times in milliseconds with its most.
    pub(crate) fn delay(&mut self, part: &'static str, what: &str, milliseconds: f64, most: f64) {
        self.rows.push(Row {
            part,
            what: what.to_owned(),
            value: format!("{milliseconds:.3} ms"),
            tail: String::new(),
            ratio: None,
            against: String::new(),
            budget: format!("≤ {most} ms"),
            kept: Some(milliseconds <= most),
            data: json!({ "milliseconds": milliseconds }),
        });
    }

    /// A sentence about how a number came to be, or why it is missing.
    pub(crate) fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    /// For people.
    pub(crate) fn print(&self) {
        println!("{:<8} {:<52} {:>11} {:>11}  {:<30} {:<18}", "part", "what", "median", "p99", "ratio", "budget");
        for row in &self.rows {
            let ratio = row.ratio.map(|ratio| format!("{ratio:.3} × {}", row.against)).unwrap_or_default();
            let verdict = match row.kept {
                Some(true) => "OK",
                Some(false) => "OVER",
                None => "",
            };
            let (part, what, value, tail, budget) = (row.part, &row.what, &row.value, &row.tail, &row.budget);
            println!("{part:<8} {what:<52} {value:>11} {tail:>11}  {ratio:<30} {budget:<18} {verdict}");
        }
        for note in &self.notes {
            println!("note: {note}");
        }
    }

    /// For programs.
    pub(crate) fn print_json(&self) -> Result<(), Failure> {
        let rows: Vec<Value> = self
            .rows
            .iter()
            .map(|row| {
                json!({
                    "part": row.part, "what": row.what, "measured": row.data, "ratio": row.ratio,
                    "against": row.against, "budget": row.budget, "kept": row.kept,
                })
            })
            .collect();
        let text =
            serde_json::to_string_pretty(&json!({ "rows": rows, "notes": self.notes })).doing("cannot write JSON")?;
        println!("{text}");
        Ok(())
    }
}
