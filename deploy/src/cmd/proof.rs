//! `phantasma proof`: proofs that a content is there, by hand.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use neo_client::Hash160;
use phantasma_sdk::content::{self, ContentKey};
use phantasma_sdk::proofs::{OpenProof, Proofs};
use serde_json::{Value, json};

use super::content::{keystore, parse_root};
use super::context::Context;
use crate::amount::{soul, with_decimals};
use crate::contract::Program;
use crate::time::show_utc;

#[derive(Debug, Subcommand)]
pub enum ProofCommand {
    /// Promise to show any chunk of a content; the wallet's account must be a node.
    Offer {
        /// The content's root, 64 hex digits.
        root: String,
    },
    /// Take that back; open challenges stay.
    Retract {
        /// The content's root, 64 hex digits.
        root: String,
    },
    /// List who offers a content.
    Offers {
        /// The content's root, 64 hex digits.
        root: String,
    },
    /// Ask a node for a proof, as the wallet's account.
    Start {
        /// The address of the node that offers the content.
        prover: String,
        /// The content's root, 64 hex digits.
        root: String,
        /// A block of 256 KiB, from 0, to show that this one is lost; without it any chunk of the content is drawn.
        #[arg(long)]
        block: Option<u32>,
    },
    /// Show what is known of a challenge.
    Open {
        /// The address of who asked.
        validator: String,
        /// The address of the node that was asked; the wallet's account when absent.
        prover: Option<String>,
    },
    /// Show the chunk that was drawn, as the wallet's account, from a file.
    Show {
        /// The address of who asked.
        validator: String,
        /// The file that was put; its key is taken from the keys in --dir.
        #[arg(long, value_name = "FILE")]
        file: PathBuf,
        /// The file is the encrypted content itself.
        #[arg(long)]
        encrypted: bool,
    },
    /// End a proof that was shown; anybody may.
    Accept {
        /// The address of who asked.
        validator: String,
        /// The address of the node that was asked.
        prover: String,
    },
    /// End a proof that was not shown in time; anybody may.
    Fail {
        /// The address of who asked.
        validator: String,
        /// The address of the node that was asked.
        prover: String,
    },
    /// Show how the proofs of a content went, and how sure that makes one.
    Content {
        /// The content's root, 64 hex digits.
        root: String,
    },
}

pub(super) async fn run(context: &Context, command: ProofCommand) -> Result<()> {
    let hash = context.companion(Program::Proofs).await?;
    let proofs = Proofs::new(context.rpc(), hash);
    match command {
        ProofCommand::Offer { root } => {
            let receipt = proofs
                .offer_content(&context.account()?, &parse_root(&root)?)
                .await?;
            let text = format!("any chunk of {root} can be asked for");
            context.print_done(json!({"root": root}), &text, &receipt)
        }
        ProofCommand::Retract { root } => {
            let receipt = proofs
                .retract_content(&context.account()?, &parse_root(&root)?)
                .await?;
            let text = format!("{root} is not offered any more");
            context.print_done(json!({"root": root}), &text, &receipt)
        }
        ProofCommand::Offers { root } => offers(context, &proofs, &root).await,
        ProofCommand::Start {
            prover,
            root,
            block,
        } => start(context, &proofs, &prover, &root, block).await,
        ProofCommand::Open { validator, prover } => {
            let prover = context.account_or(prover.as_deref())?;
            let proof = known(&proofs, &address(&validator)?, &prover).await?;
            context.print(&open_json(&proof), &open_text(&proof))
        }
        ProofCommand::Show {
            validator,
            file,
            encrypted,
        } => show(context, &proofs, &validator, &file, encrypted).await,
        ProofCommand::Accept { validator, prover } => {
            let (asker, asked) = (address(&validator)?, address(&prover)?);
            let payer = context.account()?;
            let receipt = proofs.accept_proof(&payer, &asker, &asked).await?;
            let data = json!({"validator": validator, "prover": prover});
            context.print_done(data, "accepted: both gain reputation", &receipt)
        }
        ProofCommand::Fail { validator, prover } => {
            let (asker, asked) = (address(&validator)?, address(&prover)?);
            let payer = context.account()?;
            let receipt = proofs.fail_proof(&payer, &asker, &asked).await?;
            let data = json!({"validator": validator, "prover": prover});
            let text = format!("failed: {prover} loses a quarter of its reputation");
            context.print_done(data, &text, &receipt)
        }
        ProofCommand::Content { root } => tally(context, &proofs, &root).await,
    }
}

async fn offers(context: &Context, proofs: &Proofs, root: &str) -> Result<()> {
    let offers = proofs.offers_of(&parse_root(root)?).await?;
    let addresses: Vec<String> = offers.iter().map(Hash160::to_address).collect();
    let text = match addresses.is_empty() {
        true => format!("nobody offers {root}"),
        false => addresses.join("\n"),
    };
    context.print(&json!({"root": root, "addresses": addresses}), &text)
}

async fn start(
    context: &Context,
    proofs: &Proofs,
    prover: &str,
    root: &str,
    block: Option<u32>,
) -> Result<()> {
    let (validator, content) = (context.account()?, parse_root(root)?);
    let asked = address(prover)?;
    let fee = soul(proofs.quote_start_proof().await?);
    let receipt = proofs
        .start_proof(&validator, &asked, &content, block)
        .await?;
    let proof = known(proofs, &validator.script_hash, &asked).await?;
    let text = format!(
        "asked {prover} for {fee} SOUL; block {} of the chain draws the chunk",
        proof.draw
    );
    let mut data = open_json(&proof);
    data["fee"] = fee.into();
    context.print_done(data, &text, &receipt)
}

async fn show(
    context: &Context,
    proofs: &Proofs,
    validator: &str,
    file: &Path,
    encrypted: bool,
) -> Result<()> {
    let (prover, asker) = (context.account()?, address(validator)?);
    let proof = known(proofs, &asker, &prover.script_hash).await?;
    let root = hex::encode(proof.content);
    let Some(drawn) = proof.drawn else {
        bail!(
            "the chunk is not drawn yet: block {} of the chain does; ask again then",
            proof.draw
        );
    };
    let key = if encrypted {
        None
    } else {
        let key = keystore(context, &prover)?.get(&proof.content);
        let key = key.map(|key| ContentKey::from_bytes(*key));
        Some(key.with_context(|| {
            format!(
                "there is no key of {root} in --dir; give the encrypted content with --encrypted"
            )
        })?)
    };
    let (found, shown) = content::show_chunk(file, key.as_ref(), drawn.chunk).await?;
    if found != proof.content {
        bail!(
            "{} has the root {} and is not the content {root} that is asked for",
            file.display(),
            hex::encode(found)
        );
    }
    let receipt = proofs
        .show_proof(&prover, &asker, drawn.nonce, &shown)
        .await?;
    let text = format!("chunk {} of {root} is shown", drawn.chunk);
    let data = json!({"root": root, "chunk": drawn.chunk});
    context.print_done(data, &text, &receipt)
}

async fn tally(context: &Context, proofs: &Proofs, root: &str) -> Result<()> {
    let tally = proofs.content_proofs(&parse_root(root)?).await?;
    // Of a million, as percent.
    let sure = with_decimals(tally.confidence, 4);
    let data = json!({
        "root": root,
        "challenges": tally.challenges,
        "shown": tally.shown,
        "failures": tally.failures,
        "confidence_percent": sure,
    });
    let text = format!(
        "{} challenges, {} shown, {} failed\n{sure} % sure that at least 99 % of it is there",
        tally.challenges, tally.shown, tally.failures
    );
    context.print(&data, &text)
}

async fn known(proofs: &Proofs, validator: &Hash160, prover: &Hash160) -> Result<OpenProof> {
    match proofs.open_proof(validator, prover).await? {
        Some(proof) => Ok(proof),
        None => bail!(
            "{} has no open challenge of {}; `phantasma proof start` makes one",
            prover.to_address(),
            validator.to_address()
        ),
    }
}

fn open_json(proof: &OpenProof) -> Value {
    json!({
        "root": hex::encode(proof.content),
        "size": proof.size,
        "block": proof.block,
        "started_ms": proof.started_ms,
        "shown": proof.shown,
        "draw": proof.draw,
        "chunk": proof.drawn.map(|drawn| drawn.chunk),
    })
}

fn open_text(proof: &OpenProof) -> String {
    let what = match proof.block {
        Some(block) => format!("block {block} of "),
        None => String::new(),
    };
    let drawn = match proof.drawn {
        Some(drawn) => format!("chunk {} is drawn", drawn.chunk),
        None => format!("block {} of the chain draws the chunk", proof.draw),
    };
    let shown = match proof.shown {
        true => ", and it was shown",
        false => "",
    };
    format!(
        "{what}content {} ({} bytes), asked {}\n{drawn}{shown}",
        hex::encode(proof.content),
        proof.size,
        show_utc(proof.started_ms)
    )
}

fn address(text: &str) -> Result<Hash160> {
    Hash160::from_address(text).with_context(|| text.to_owned())
}
