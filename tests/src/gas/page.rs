//! `docs/gas.md`: written from what was measured, and read again to compare.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{CONTRACTS, CROWDS, Costs, LEEWAY_PERCENT, Line, MOST_BYTES};

/// The command that writes the page.
pub const COMMAND: &str = "cargo run -p phantasma-tests --bin torture -- gas --write docs/gas.md";

/// Datoshi as GAS with all decimals.
fn gas(datoshi: i64) -> String {
    format!("{}.{:08}", datoshi / 1_0000_0000, datoshi % 1_0000_0000)
}

/// The page.
pub fn page(costs: &Costs) -> String {
    let [few, many] = CROWDS;
    let mut out = format!(
        "# What a call costs\n\n\
         Every call of the three contracts, in GAS, measured on a node of neo-go with Neo's default prices. This page is\n\
         written by a command (some seconds, on two private nets), which also prints JSON:\n\n\
         ```sh\n{COMMAND}\n\
         cargo run -p phantasma-tests --bin torture -- gas --json\n```\n\n\
         Accounts, times and block numbers are fixed: each run gives the same numbers. A test of `./check` measures again and\n\
         fails when a call has become more than {LEEWAY_PERCENT} % dearer than it says here, is missing here, or grows.\n\n\
         * **system fee**: what running the call takes, the calling script (some 0.0105 GAS) included. Our client sends 5 % more,\n\
         \u{20} which is spent too.\n\
         * **network fee**: for the transaction's size and one ordinary signature; a multisig costs more.\n\
         * **{few} / {many}**: how many boxes, contents of a box, members of its list, contents in the register, nodes, offers of one\n\
         \u{20} content, open proofs and accounts on the whitelist there were beside what was measured.\n\n"
    );
    let grown: Vec<&Line> = costs.lines.iter().filter(|l| l.many != l.few.gas).collect();
    let _ = writeln!(
        out,
        "**No call grows with how many there are.** Of {} calls, {} take exactly the same with {few} and with {many}. The other {}\n\
         differ by up to {MOST_BYTES} bytes of storage (0.001 GAS each), because a number above 127 is a byte longer where it is stored; the\n\
         next ones come above 32,767 and 8,388,607. The test allows nothing else: a single instruction more would fail it. Whoever\n\
         reads an iterator (`boxesOf`, `nodes`, `offersOf`) in a transaction pays 0.0098 GAS an entry; by RPC it is free. A batch\n\
         (`whitelist`, `allot`) grows with itself, and `contentProofs`, with the proofs that were missed, up to 32.\n",
        costs.lines.len(),
        costs.lines.len() - grown.len(),
        grown.len(),
    );
    let _ = writeln!(
        out,
        "| deployment | NEF bytes | manifest bytes | system fee |\n|---|---|---|---|"
    );
    for (name, (nef, manifest, datoshi)) in CONTRACTS.iter().zip(costs.deployed) {
        let _ = writeln!(out, "| {name} | {nef} | {manifest} | {} |", gas(datoshi));
    }
    for (at, name) in CONTRACTS.iter().enumerate() {
        let _ = write!(
            out,
            "\n## {name}\n\n| call | system fee, {few} | system fee, {many} | network fee |\n|---|---|---|---|\n"
        );
        for line in costs.lines.iter().filter(|l| l.few.contract == at) {
            let few = &line.few;
            let fees = [few.gas, line.many, few.network_fee].map(gas).join(" | ");
            let _ = writeln!(out, "| {} | {fees} |", few.name);
        }
    }
    out.push_str(
        "\n`mint`, `collect` and `reward` are called by the other two contracts only: their price is in `onNEP17Payment` of the\n\
         sale (a transfer that buys), `allot`, `registerNode`, `startProof` and `obtainRewards`. A refused call costs what it took\n\
         until the refusal, when it is sent without a test run; with one, nothing. Longer names, texts and gates take more storage.\n",
    );
    out
}

/// What a page says of each call, in datoshi: the first number after its name.
pub(super) fn costs(page: &str) -> BTreeMap<String, i64> {
    let rows = page.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| ")?.split(" | ");
        let (name, fee) = (cells.next()?, cells.next()?);
        Some((name.to_owned(), datoshi(fee)?))
    });
    rows.collect()
}

/// GAS with eight decimals; None for anything else, such as a table's head.
fn datoshi(text: &str) -> Option<i64> {
    let (whole, rest) = text.split_once('.')?;
    let rest = Some(rest).filter(|rest| rest.len() == 8)?;
    let (whole, rest): (i64, i64) = (whole.parse().ok()?, rest.parse().ok()?);
    Some(whole * 1_0000_0000 + rest)
}
