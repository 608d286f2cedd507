//! `phantasma bench contract`: gas and bytes.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use neo_client::{ContractParam, StackItem};

use super::boa::Boa;
use super::chain::{Call, Chain, FEE_FACTOR, OnChain};
use super::report::{Report, Verdict, median};
use super::{boxes, floor, interpreter, ours, small, token};
use crate::paths;

/// What to measure beside ours and the floor.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Measure neo3-boa too; without it, its lines have no peer.
    pub boa: bool,
}

/// How execution is counted.
pub(super) const UNITS: &str = "price units";

/// Ours beside the hand-written floor, where storage calls are most of it.
pub(super) const FLOOR_STORAGE: f64 = 1.15;
/// The same in pure loops.
pub(super) const FLOOR_LOOP: f64 = 1.6;
/// Ours beside neo3-boa on each line.
pub(super) const BOA_EACH: f64 = 1.0;
/// The same in the middle of the lines.
const BOA_MEDIAN: f64 = 0.85;

const BOA: &str = "neo3-boa";
/// How the files end in which `typing.cast` takes the place of conversions.
const CAST: &str = "_cast";
/// How the names of such peers end.
const CAST_STYLE: &str = " cast";
pub(super) const FLOOR: &str = "floor";

/// One run: the node and the peer.
pub(super) struct Bench {
    pub(super) chain: Chain,
    pub(super) report: Report,
    boa: Option<Boa>,
    folder: PathBuf,
}

/// The same program by everybody.
pub(super) struct Sides {
    ours: OnChain,
    /// One for each style, with what is said of it.
    boa: Vec<(String, OnChain)>,
    floor: Option<OnChain>,
}

/// What a call must leave for its price to count.
#[derive(Clone, Debug)]
pub(super) enum Expect {
    True,
    False,
    Number(u64),
    Nothing,
}

/// Measures everything on a node of its own. `say` hears what is going on.
pub async fn run(options: &Options, say: &dyn Fn(&str)) -> Result<Report> {
    let folder = paths::workspace().join("benches/contract");
    ensure!(
        folder.is_dir(),
        "{} is not there: run this in the workspace it was built in",
        folder.display()
    );
    let boa = match options.boa.then(|| Boa::install(say)).transpose() {
        Ok(boa) => boa,
        Err(error) => {
            say(&format!(
                "neo3-boa is left out: {error:#}\n(ours and the floor are measured without it; `--peer none` says so at once)"
            ));
            None
        }
    };
    let mut bench = Bench {
        chain: Chain::start().await?,
        report: Report::default(),
        boa,
        folder,
    };
    token::measure(&mut bench).await?;
    small::measure(&mut bench).await?;
    boxes::measure(&mut bench).await?;
    interpreter::measure(&mut bench).await?;
    medians(&mut bench.report);
    Ok(bench.report)
}

/// The middle of our ratios beside neo3-boa: with the style of its documentation for each case that has one, and with
/// the cheapest. Beside the latter the floor's own middle says what there is to win.
fn medians(report: &mut Report) {
    let mut cases: BTreeMap<(&str, &str), Peers> = BTreeMap::new();
    for line in report.lines.iter().filter(|l| l.limit.is_some()) {
        let (Some(peer), Some(name)) = (line.peer, line.peer_name.as_deref()) else {
            continue;
        };
        let entry = cases.entry((&line.case, line.metric)).or_default();
        entry.ours = line.ours;
        if name == FLOOR {
            entry.floor = Some(peer);
        } else if name.ends_with(CAST_STYLE) {
            entry.cast = Some(peer);
        } else {
            entry.documented = Some(peer);
        }
    }
    let documented = |p: &Peers| Some(p.ours / p.documented.or(p.cast)?);
    let cheapest = |p: &Peers| Some(p.ours / p.cheapest()?);
    let floor = |p: &Peers| Some(p.floor? / p.cheapest()?);
    let of = |ratio: &dyn Fn(&Peers) -> Option<f64>| median(cases.values().filter_map(ratio));
    let (Some(documented), Some(cheapest), Some(floor)) =
        (of(&documented), of(&cheapest), of(&floor))
    else {
        return;
    };
    report.summary.push(Verdict {
        text: format!(
            "median beside {BOA} as its documentation writes: {documented:.3}, below {BOA_MEDIAN}"
        ),
        met: documented < BOA_MEDIAN,
    });
    report.summary.push(Verdict {
        text: format!(
            "median beside {BOA} at its cheapest: {cheapest:.3}, below {BOA_MEDIAN} (the floor itself: {floor:.3})"
        ),
        met: cheapest < BOA_MEDIAN,
    });
}

/// What one case costs by whom.
#[derive(Default)]
struct Peers {
    ours: f64,
    documented: Option<f64>,
    cast: Option<f64>,
    floor: Option<f64>,
}

impl Peers {
    /// Casts are not always the cheaper style.
    fn cheapest(&self) -> Option<f64> {
        [self.documented, self.cast]
            .into_iter()
            .flatten()
            .reduce(f64::min)
    }
}

impl Bench {
    /// Compiles and deploys `name` of each side: ours, each of boa's styles, the floor.
    pub(super) async fn sides(&self, name: &str, data: &ContractParam) -> Result<Sides> {
        let ours = ours::compile(self.folder.join("ours"), &format!("{name}.rs"))?;
        let by_hand = self.folder.join(format!("floor/{name}.asm"));
        let text = std::fs::read_to_string(&by_hand)
            .with_context(|| format!("reading {}", by_hand.display()))?;
        let by_hand = floor::assemble(&text).with_context(|| format!("{}", by_hand.display()))?;
        Ok(Sides {
            ours: self.chain.deploy(&ours, data.clone()).await?,
            boa: self.boa(&[name, &format!("{name}{CAST}")], data).await?,
            floor: Some(self.chain.deploy(&by_hand, data.clone()).await?),
        })
    }

    /// The Python contracts of these files, deployed, with the peer's name, version and style; none without neo3-boa.
    pub(super) async fn boa(
        &self,
        files: &[&str],
        data: &ContractParam,
    ) -> Result<Vec<(String, OnChain)>> {
        let mut list = Vec::new();
        if let Some(boa) = &self.boa {
            for file in files {
                let artifact = boa.compile(&self.folder.join(format!("boa/{file}.py")))?;
                let style = if file.ends_with(CAST) { CAST_STYLE } else { "" };
                let name = format!("{BOA} {}{style}", boa.version);
                list.push((name, self.chain.deploy(&artifact, data.clone()).await?));
            }
        }
        Ok(list)
    }

    /// Measures one call on all sides; each must give `expect`. `floor_limit` is for ours beside the floor.
    pub(super) async fn case(
        &mut self,
        case: &str,
        sides: &Sides,
        (method, params): (&str, &[ContractParam]),
        expect: &Expect,
        floor_limit: f64,
    ) -> Result<()> {
        let ours = self.checked(&sides.ours, method, params, expect).await?;
        self.total(case, &ours);
        for (name, contract) in &sides.boa {
            let call = self.checked(contract, method, params, expect).await?;
            self.execution(case, &ours, Some((name, &call)), Some(BOA_EACH));
        }
        if let Some(contract) = &sides.floor {
            let call = self.checked(contract, method, params, expect).await?;
            self.execution(case, &ours, Some((FLOOR, &call)), Some(floor_limit));
        }
        Ok(())
    }

    /// A call of all sides that is not measured, to see that they do the same.
    pub(super) async fn same(
        &self,
        sides: &Sides,
        method: &str,
        params: &[ContractParam],
        expect: &Expect,
    ) -> Result<()> {
        for contract in sides.all() {
            self.checked(contract, method, params, expect).await?;
        }
        Ok(())
    }

    /// Sends the same call to all sides.
    pub(super) async fn send(
        &self,
        sides: &Sides,
        method: &str,
        params: &[ContractParam],
    ) -> Result<()> {
        for contract in sides.all() {
            self.chain.send(&contract.hash, method, params).await?;
        }
        Ok(())
    }

    pub(super) async fn checked(
        &self,
        contract: &OnChain,
        method: &str,
        params: &[ContractParam],
        expect: &Expect,
    ) -> Result<Call> {
        let call = self.chain.call(&contract.hash, method, params).await?;
        let item = call.result.stack.first().unwrap_or(&StackItem::Null);
        let right = match expect {
            Expect::True => matches!(item.as_bool(), Ok(true)),
            Expect::False => matches!(item.as_bool(), Ok(false)),
            Expect::Number(n) => matches!(item.as_u64(), Ok(given) if given == *n),
            Expect::Nothing => item.is_null(),
        };
        if !right {
            bail!(
                "{method} of {} gives {item:?}, not {expect:?}",
                contract.hash
            );
        }
        Ok(call)
    }

    /// What the method alone costs, in price units.
    pub(super) fn execution(
        &mut self,
        case: &str,
        ours: &Call,
        peer: Option<(&str, &Call)>,
        limit: Option<f64>,
    ) {
        let units = |call: &Call| call.method as f64 / FEE_FACTOR as f64;
        let beside = peer.map(|(name, call)| (name, units(call)));
        self.report
            .push(case, "execution", UNITS, units(ours), beside, limit);
    }

    /// What the whole call costs.
    pub(super) fn total(&mut self, case: &str, ours: &Call) {
        self.report
            .push(case, "total", "GAS", ours.gas as f64 / 1e8, None, None);
    }

    /// The size of a program on all sides.
    pub(super) fn sizes(&mut self, case: &str, sides: &Sides) {
        let ours = sides.ours.nef as f64;
        for (name, contract) in &sides.boa {
            let beside = Some((name.as_str(), contract.nef as f64));
            self.report
                .push(case, "nef", "bytes", ours, beside, Some(BOA_EACH));
        }
        if let Some(by_hand) = &sides.floor {
            let beside = Some((FLOOR, by_hand.nef as f64));
            self.report.push(case, "nef", "bytes", ours, beside, None);
        }
    }
}

impl Sides {
    pub(super) fn all(&self) -> impl Iterator<Item = &OnChain> {
        std::iter::once(&self.ours)
            .chain(self.boa.iter().map(|(_, contract)| contract))
            .chain(&self.floor)
    }

    pub(super) fn floor(&self) -> Option<&OnChain> {
        self.floor.as_ref()
    }
}
