//! What a key for a group costs: subset difference over a million places, with 1, 100 and 10,000 members left out.

use std::collections::BTreeSet;
use std::time::Instant;

use anyhow::{Result, bail, ensure};
use neo_client::PrivateKey;
use phantasma_sdk::content::ContentKey;
use phantasma_sdk::group::{Group, GroupError, GroupKeys};
use phantasma_wire::broadcast::Header;
use phantasma_wire::codec::Frame;

use super::report::{Line, Report, Verdict, median};

/// 2^20 = 1,048,576 places.
const HEIGHT: u8 = 20;
/// Members that there are.
const MEMBERS: u32 = 1_000_000;
const REVOKED: [usize; 3] = [1, 100, 10_000];
/// Each time is the median of so many runs.
const RUNS: usize = 9;
/// Members and revoked ones that are tried on each header, at most.
const TRIED: usize = 500;

/// Measures, and checks that each header opens for whom it should and for nobody else.
///
/// # Errors
/// A member that cannot open a header, or a revoked one that can.
pub fn keys(say: &dyn Fn(&str)) -> Result<Report> {
    let mut report = Report::default();
    let owner = PrivateKey::random()?;
    let group = Group::new([1; 32], 0, HEIGHT, GroupKeys::random())?;
    let key = group.member_key(&owner, 0)?;
    line(
        &mut report,
        "member",
        "keys",
        "bytes",
        key.to_bytes().len() as f64,
    );
    let derive = timed(|| group.member_key(&owner, rand::random_range(0..MEMBERS)))?;
    line(&mut report, "member", "derive", "ms", derive);
    for revoked in REVOKED {
        say(&format!("{revoked} of {MEMBERS} members left out"));
        measure(&mut report, &owner, &group, revoked)?;
    }
    Ok(report)
}

fn measure(report: &mut Report, owner: &PrivateKey, group: &Group, count: usize) -> Result<()> {
    let case = format!("{count} left out");
    let mut revoked = BTreeSet::new();
    while revoked.len() < count {
        revoked.insert(rand::random_range(0..MEMBERS));
    }
    let list: Vec<u32> = revoked.iter().copied().collect();
    let (content, key) = ([7; 32], ContentKey::random());
    let header = group.wrap(owner, content, &key, &list)?;
    let bytes = header.encode();
    let entries = header.entries().len();
    line(report, &case, "entries", "", entries as f64);
    line(report, &case, "header", "bytes", bytes.len() as f64);
    let wrap = timed(|| group.wrap(owner, content, &key, &list))?;
    line(report, &case, "encrypt", "ms", wrap);
    let read = timed(|| Header::decode(bytes.clone()))?;
    line(report, &case, "decode", "ms", read);
    let member = (0..MEMBERS).find(|place| !revoked.contains(place));
    let member = group.member_key(owner, member.unwrap_or_default())?;
    let open = timed(|| member.unwrap(&header))?;
    line(report, &case, "decrypt", "ms", open);
    check(owner, group, &header, &key, &revoked)?;
    let most = 2 * count - 1;
    report.summary.push(Verdict {
        text: format!("{entries} entries for {count} left out, at most 2r - 1 = {most}"),
        met: entries <= most,
    });
    Ok(())
}

/// Tries the header with members from all over the group, and with those who are left out.
fn check(
    owner: &PrivateKey,
    group: &Group,
    header: &Header,
    key: &ContentKey,
    revoked: &BTreeSet<u32>,
) -> Result<()> {
    for &place in revoked.iter().take(TRIED) {
        let opened = group.member_key(owner, place)?.unwrap(header);
        ensure!(
            opened == Err(GroupError::Revoked { place }),
            "place {place} is left out and opened the header"
        );
        // The one beside is the nearest that may be in.
        let beside = place ^ 1;
        let opened = group.member_key(owner, beside)?.unwrap(header);
        ensure!(
            opened.is_ok() != revoked.contains(&beside),
            "place {beside} is wrongly in or out"
        );
    }
    for _ in 0..TRIED {
        let place = rand::random_range(0..MEMBERS);
        match group.member_key(owner, place)?.unwrap(header) {
            Ok(opened) if opened == *key && !revoked.contains(&place) => {}
            Err(GroupError::Revoked { .. }) if revoked.contains(&place) => {}
            outcome => bail!("place {place}: {outcome:?}"),
        }
    }
    Ok(())
}

/// Milliseconds, the median of some runs.
fn timed<T, E: std::error::Error + Send + Sync + 'static>(
    mut work: impl FnMut() -> Result<T, E>,
) -> Result<f64> {
    let mut times = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        let start = Instant::now();
        std::hint::black_box(work()?);
        times.push(start.elapsed().as_secs_f64() * 1_000.0);
    }
    Ok(median(times.into_iter()).unwrap_or_default())
}

fn line(report: &mut Report, case: &str, metric: &'static str, unit: &'static str, ours: f64) {
    report.lines.push(Line {
        bench: "keys",
        case: case.to_owned(),
        metric,
        unit,
        ours,
        peer: None,
        peer_name: None,
        ratio: None,
        limit: None,
        least: None,
    });
}

/// The table for people.
pub fn text(report: &Report) -> String {
    let mut out = format!("{MEMBERS} members, {} places\n", 1_u32 << HEIGHT);
    for line in &report.lines {
        let value = match line.unit {
            "ms" => format!("{:.3} ms", line.ours),
            unit => format!("{:.0} {unit}", line.ours),
        };
        out.push_str(&format!(
            "{:<16} {:<8} {value:>16}\n",
            line.case, line.metric
        ));
    }
    for verdict in &report.summary {
        let word = if verdict.met { "met" } else { "MISSED" };
        out.push_str(&format!("{}: {word}\n", verdict.text));
    }
    out.push_str("every member that was tried opened each header, and nobody who is left out did");
    out
}
