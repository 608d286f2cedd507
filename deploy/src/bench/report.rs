//! What a run found: lines, ratios, targets.

use std::fmt::Write as _;

use serde::Serialize;

/// One number of ours beside a peer's, as `--json` prints it.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    pub bench: &'static str,
    pub case: String,
    /// Contract: `execution` is the method alone, `total` the whole call, `deploy` a deployment; `nef` and `manifest` are
    /// sizes. Relay: `delivered` to all readers, `p50` and so on from making a message to having it checked, at half of
    /// our full load, `arrived` of all then, `checked` by one core, `published` and acknowledged, `acknowledged` on disk.
    pub metric: &'static str,
    pub unit: &'static str,
    pub ours: f64,
    pub peer: Option<f64>,
    pub peer_name: Option<String>,
    /// Ours by the peer's: below 1 is better than the peer, for rates above 1.
    pub ratio: Option<f64>,
    /// What the ratio should not be above.
    #[serde(skip)]
    pub limit: Option<f64>,
    /// What the ratio should not be below.
    #[serde(skip)]
    pub least: Option<f64>,
}

/// What the words of the contract's table mean.
const CONTRACT_LEGEND: &str = "\nexecution: price units of the method alone (30 datoshi each, its storage fees included); total: GAS \
                               of\nthe whole call; nef, manifest: bytes; ratio: ours by the peer's.";

/// A run's lines, in order.
#[derive(Clone, Debug, Default)]
pub struct Report {
    pub lines: Vec<Line>,
    /// Targets over several lines: what they are, what came out, whether it is met.
    pub summary: Vec<Verdict>,
}

/// One target and how it went.
#[derive(Clone, Debug)]
pub struct Verdict {
    pub text: String,
    pub met: bool,
}

impl Report {
    pub(super) fn push(
        &mut self,
        case: &str,
        metric: &'static str,
        unit: &'static str,
        ours: f64,
        peer: Option<(&str, f64)>,
        limit: Option<f64>,
    ) {
        self.lines.push(Line {
            bench: "contract",
            case: case.to_owned(),
            metric,
            unit,
            ours,
            peer: peer.map(|(_, value)| value),
            peer_name: peer.map(|(name, _)| name.to_owned()),
            ratio: peer.map(|(_, value)| ours / value),
            limit,
            least: None,
        });
    }

    /// A rate of ours beside a peer's, and what the ratio should at least be.
    pub(super) fn push_rate(
        &mut self,
        (case, metric, unit): (&str, &'static str, &'static str),
        ours: f64,
        peer: Option<(&str, f64)>,
        least: Option<f64>,
    ) {
        self.push(case, metric, unit, ours, peer, None);
        if let Some(line) = self.lines.last_mut() {
            line.bench = "pdfs";
            line.least = least;
        }
    }

    /// The lines whose peer's name starts so.
    pub fn beside<'a>(&'a self, peer: &'a str) -> impl Iterator<Item = &'a Line> {
        self.lines
            .iter()
            .filter(move |l| l.peer_name.as_deref().is_some_and(|n| n.starts_with(peer)))
    }

    /// Everything that misses its target, in words.
    pub fn missed(&self) -> Vec<String> {
        let lines = self.lines.iter().filter(|l| l.over()).map(|l| {
            format!(
                "{}, {} beside {}: {:.3}, {}",
                l.case,
                l.metric,
                l.peer_name.as_deref().unwrap_or("?"),
                l.ratio.unwrap_or_default(),
                l.target().unwrap_or_default(),
            )
        });
        let summary = self.summary.iter().filter(|v| !v.met);
        lines.chain(summary.map(|v| v.text.clone())).collect()
    }

    /// One JSON object a line.
    pub fn json(&self) -> serde_json::Result<String> {
        let lines: Result<Vec<_>, _> = self.lines.iter().map(serde_json::to_string).collect();
        Ok(lines?.join("\n"))
    }

    /// The table for people, and the verdicts.
    pub fn text(&self) -> String {
        let mut out = self.table();
        if self.lines.iter().any(|line| line.bench == "contract") {
            out.push_str(CONTRACT_LEGEND);
        }
        out.push('\n');
        out + &self.verdicts()
    }

    /// The lines in columns.
    pub(super) fn table(&self) -> String {
        let mut out = format!(
            "{:<32} {:<12} {:>13} {:>13} {:<21} {:>6}  {}\n",
            "case", "metric", "ours", "peer", "", "ratio", "target"
        );
        for line in &self.lines {
            let ratio = line.ratio.map(|r| format!("{r:.3}")).unwrap_or_default();
            let target = line.target().map_or(String::new(), |target| {
                let verdict = if line.over() { "MISSED" } else { "met" };
                format!("{target} {verdict}")
            });
            let row = format!(
                "{:<32} {:<12} {:>13} {:>13} {:<19} {ratio:>6}  {target}",
                line.case,
                line.metric,
                amount(line.ours, line.unit),
                line.peer
                    .map(|peer| amount(peer, line.unit))
                    .unwrap_or_default(),
                line.peer_name.as_deref().unwrap_or_default(),
            );
            out.push_str(row.trim_end());
            out.push('\n');
        }
        out
    }

    /// What came of the targets.
    pub(super) fn verdicts(&self) -> String {
        let mut out = String::new();
        for verdict in &self.summary {
            let word = if verdict.met { "met" } else { "MISSED" };
            let _ = writeln!(out, "{}: {word}", verdict.text);
        }
        let missed = self.missed();
        out.push_str(&match missed.is_empty() {
            true => "all targets are met".to_owned(),
            false => format!("{} targets are missed: {}", missed.len(), missed.join("; ")),
        });
        out
    }
}

impl Line {
    /// Is it above its target?
    pub fn over(&self) -> bool {
        let above = matches!((self.ratio, self.limit), (Some(ratio), Some(limit)) if ratio > limit);
        let below = matches!((self.ratio, self.least), (Some(ratio), Some(least)) if ratio < least);
        above || below
    }

    /// What is asked of the ratio, in words.
    fn target(&self) -> Option<String> {
        let limit = self.limit.map(|limit| format!("at most {limit}"));
        limit.or_else(|| self.least.map(|least| format!("at least {least}")))
    }
}

fn amount(value: f64, unit: &str) -> String {
    match unit {
        "GAS" => format!("{value:.8}"),
        "ms" | "%" => format!("{value:.2}"),
        _ => format!("{value:.0}"),
    }
}

/// The middle value, or the mean of the two middle ones.
pub(super) fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    if values.len() % 2 == 1 {
        return Some(upper);
    }
    Some(f64::midpoint(*values.get(middle.checked_sub(1)?)?, upper))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_median_of_an_even_count_is_between_the_middle_two() {
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), Some(2.0));
        assert_eq!(median([4.0, 1.0, 2.0, 3.0].into_iter()), Some(2.5));
        assert_eq!(median(std::iter::empty()), None);
    }

    #[test]
    fn a_line_over_its_limit_is_told_last() {
        let mut report = Report::default();
        report.push(
            "sum",
            "execution",
            "units",
            30.0,
            Some(("floor", 20.0)),
            Some(1.6),
        );
        assert!(report.text().ends_with("all targets are met"));
        report.push(
            "sum",
            "execution",
            "units",
            33.0,
            Some(("floor", 20.0)),
            Some(1.6),
        );
        let text = report.text();
        assert!(
            text.ends_with("1 targets are missed: sum, execution beside floor: 1.650, at most 1.6"),
            "{text}"
        );
    }
}
