//! A failing program without the statements that it fails without.

use super::program::Program;
use super::{Bench, judge};

/// Smaller programs tried: about a second each.
const TRIES: usize = 60;

/// The smallest found that still fails, and how.
pub(super) async fn smaller(
    bench: &Bench,
    program: Program,
    differences: Vec<String>,
) -> (Program, Vec<String>) {
    // What one of the two compilers refuses shrinks to what both refuse, which says nothing.
    if differences.iter().any(|text| text.contains("refuses: ")) {
        return (program, differences);
    }
    let (mut best, mut how) = (program, differences);
    let mut tries = TRIES;
    let mut order = best.statements.clone();
    order.sort_by_key(|(start, end)| std::cmp::Reverse(end - start));
    for range in order {
        if tries == 0 {
            break;
        }
        let Some(candidate) = without(&best, range) else {
            continue;
        };
        tries -= 1;
        let judged = judge(bench, vec![candidate.clone()]).await;
        let found = judged
            .into_iter()
            .flat_map(|one| one.differences)
            .collect::<Vec<_>>();
        if !found.is_empty() && !found.iter().any(|text| text.contains("refuses: ")) {
            (best, how) = (candidate, found);
        }
    }
    best.lines.retain(|line| !line.is_empty());
    (best, how)
}

/// The program with these lines emptied, so that other ranges stay where they are.
fn without(program: &Program, (start, end): (usize, usize)) -> Option<Program> {
    let mut smaller = program.clone();
    let lines = smaller.lines.get_mut(start..end)?;
    if lines.iter().all(String::is_empty) {
        return None;
    }
    lines.iter_mut().for_each(String::clear);
    Some(smaller)
}
