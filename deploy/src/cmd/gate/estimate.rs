//! `phantasma gate estimate`: what an access takes at most, before it is made.

use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};
use neo_client::Hash160;
use phantasma_sdk::contract::Phantasma;
use phantasma_sdk::estimate::{Access, Estimate, Question, Subject, estimate_offline};
use phantasma_sdk::view;
use phantasma_vm::bound::{Fees, WorstWay};
use phantasma_vm::disassemble;

use super::super::box_;
use super::super::context::Context;
use super::explain::What;
use super::{SCRIPT_HELP, Source};

/// What is written or read when nothing else is given: a script that leaves true.
const CONTENT: &[u8] = &[0x08];

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Verb {
    /// A content is written.
    Write,
    /// A content is read, and stays.
    Read,
    /// The newest content is read, and taken off if gate and content let it.
    Take,
    /// The cost of reading is asked for.
    Inspect,
    /// The newest content is deleted.
    Delete,
    /// The newest content is replaced.
    Replace,
}

#[derive(Debug, Args)]
pub struct EstimateArgs {
    #[command(flatten)]
    what: What,
    /// What the caller does.
    #[arg(long = "as", value_enum, default_value_t = Verb::Read)]
    verb: Verb,
    /// The content that is written or read; of a box on the chain, the newest one is read otherwise.
    #[arg(long, value_name = "SCRIPT", help = SCRIPT_HELP)]
    content: Option<String>,
    /// Who does it; anybody otherwise.
    #[arg(long, value_name = "ADDRESS")]
    caller: Option<String>,
    /// The most SOUL that gate and content may charge; no limit otherwise.
    #[arg(long, value_name = "SOUL")]
    max_payment: Option<String>,
}

pub(super) async fn run(context: &Context, args: EstimateArgs) -> Result<()> {
    let content = match &args.content {
        Some(content) => Some(Source::read(content)?.script),
        None => None,
    };
    let max_payment = match &args.max_payment {
        Some(amount) => box_::soul(amount)?,
        None => u64::MAX,
    };
    let caller = args.caller.as_deref().map(Hash160::from_address);
    let mut question = Question {
        subject: Subject::Box(0),
        access: access(args.verb, content.as_deref()),
        caller: caller.transpose()?,
        max_payment,
        follow: true,
    };
    let given = content.unwrap_or_else(|| CONTENT.to_vec());
    let estimate = match (&args.what.script, &args.what.target) {
        (Some(script), _) => {
            let gate = Source::read(script)?.script;
            of_script(context, &mut question, gate, given).await?
        }
        (None, Some(target)) => {
            let contract = Phantasma::new(context.rpc(), context.contract()?);
            let id = box_::find(&contract, target).await?;
            let reads = matches!(args.verb, Verb::Read | Verb::Take | Verb::Inspect);
            if reads && args.content.is_some() {
                bail!(
                    "--content is what is written; of a box on the chain the newest content is read"
                );
            }
            question.subject = Subject::Box(id);
            contract.estimate(&question).await?
        }
        // clap requires one of the two.
        (None, None) => bail!("nothing to estimate; give a script or --box"),
    };
    let limit = (max_payment != u64::MAX).then_some(max_payment);
    context.print(
        &view::estimate(&estimate, limit),
        text(&estimate, limit).trim_end(),
    )
}

fn access(verb: Verb, content: Option<&[u8]>) -> Access {
    let given = content.unwrap_or(CONTENT).to_vec();
    match verb {
        Verb::Write => Access::Write(given),
        Verb::Read => Access::ReadAt(None),
        Verb::Take => Access::Read,
        Verb::Inspect => Access::Inspect,
        Verb::Delete => Access::Delete,
        Verb::Replace => Access::Replace(given),
    }
}

/// A gate that is on no chain yet: at the fees of the chain that is known here, or at Neo's.
async fn of_script(
    context: &Context,
    question: &mut Question,
    gate: Vec<u8>,
    content: Vec<u8>,
) -> Result<Estimate> {
    if context.contract_is_given() {
        let contract = Phantasma::new(context.rpc(), context.contract()?);
        let content = Some(content);
        question.subject = Subject::Scripts { gate, content };
        return Ok(contract.estimate(question).await?);
    }
    context.say("no contract is known here: with Neo's default fees");
    estimate_offline(&gate, Some(&content), question, &Fees::default())
        .context("the estimate needs no chain")
}

fn text(estimate: &Estimate, limit: Option<u64>) -> String {
    let bound = &estimate.bound;
    let total = &bound.total;
    let mut lines = vec![
        format!("{} takes at most", estimate.method),
        format!("  steps    {}", total.steps),
        format!(
            "  GAS      {} ({} units of execution, {} bytes of storage)",
            view::cost_gas(total),
            total.units,
            total.bytes
        ),
        match view::cost_soul(total.soul, limit) {
            Some(soul) => format!("  SOUL     {soul}"),
            None => {
                "  SOUL     whatever --max-payment allows: the amount is only known while it runs"
                    .to_owned()
            }
        },
    ];
    if total.nested > 0 {
        lines.push(format!("  scripts  {} inside of others", total.nested));
    }
    match view::cost_soul(total.box_soul, None).as_deref() {
        Some("0") => {}
        Some(soul) => lines.push(format!("  boxes    pay {soul} SOUL")),
        None => lines.push("  boxes    pay what they have".to_owned()),
    }
    lines.push("of which".to_owned());
    for part in bound.parts.iter().filter(|part| part.cost.gas_pico > 0) {
        lines.push(format!(
            "  {:12} {} GAS ({} units, {} bytes)",
            view::part_name(part.name),
            view::cost_gas(&part.cost),
            part.cost.units,
            part.cost.bytes
        ));
    }
    if bound.wide {
        lines.push(
            "some boxes or contents are only known while it runs: \"limits\" is what the contract allows at all"
                .to_owned(),
        );
    }
    lines.extend(way("gate", &bound.gate_way, &estimate.gate));
    if let (Some(worst), Some(content)) = (&bound.content_way, &estimate.content) {
        lines.extend(way("content", worst, content));
    }
    lines.join("\n")
}

/// The dearest way through a script, by the labels of its assembler text.
fn way(what: &str, way: &WorstWay, script: &[u8]) -> Vec<String> {
    if way.turns.is_empty() {
        return vec![];
    }
    let mut lines = vec![format!("the dearest way through the {what}")];
    for turn in &way.turns {
        let offset = script.get(turn.position + 1).copied().unwrap_or(0);
        let to = turn.position + usize::from(offset);
        lines.push(if turn.jumps {
            format!(
                "  the condition at byte {} is false: on to byte {to}",
                turn.position
            )
        } else {
            format!(
                "  the condition at byte {} is true: on without a jump",
                turn.position
            )
        });
    }
    lines.push(format!("  to its end at byte {}", way.end));
    if let Ok(text) = disassemble(script) {
        lines.push(format!(
            "the {what} (a label L12 is byte 12)\n{}",
            text.trim_end()
        ));
    }
    lines
}
