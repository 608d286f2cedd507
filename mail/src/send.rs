//! From an accepted mail to its readers: encrypt, store what is long, seal; publish through the relay, or, where the
//! reader's gate charges for it, write into the reader's box on the chain.

use std::path::Path;

use phantasma_sdk::boxes::{self, BoxError};
use phantasma_sdk::content::{self, ContentError, ContentKey, PutOptions};
use phantasma_sdk::contract::{BoxInfo, ContentMode, ContentOrder, ContractError, Priority};
use phantasma_sdk::neo::{
    ActorError, PendingTransaction, Receipt, Transaction, TransactionBuilder, rpc,
};
use phantasma_sdk::relay::{Outcome, RelayClientError, RelayError};
use phantasma_wire::codec::Frame;
use phantasma_wire::message::Class;
use phantasma_wire::sealed::Sealed;
use zeroize::Zeroizing;

use crate::address::Mailbox;
use crate::files::failed;
use crate::letter::{self, Carried, Letter, LetterError, MAX_WITHIN};
use crate::outbox::{Delivery, Job, Outbox, OutboxError, Recipient};
use crate::post::{Post, PostError, box_of, now_ms};
use crate::postage::{self, Postage, PostageError, soul};

/// A ciphertext up to this length is written into a box on the chain, where a byte costs some 0.001 GAS for ever. A longer
/// one goes over the storage network also when it would fit.
const MAX_ON_CHAIN: usize = 1024;

/// Why a mail is not with a reader.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// It may work later.
    #[error("{0}")]
    Later(String),
    /// It never will; the text begins with an enhanced status code (RFC 3463).
    #[error("{0}")]
    Never(String),
    /// The outbox itself fails.
    #[error(transparent)]
    Outbox(#[from] OutboxError),
}

/// Errors after which the same is tried again.
macro_rules! later {
    ($($error:ty),*) => {
        $(impl From<$error> for Trouble {
            fn from(error: $error) -> Self {
                Self::Later(format!("4.4.1 {error}"))
            }
        })*
    };
}
later!(
    ContractError,
    PostError,
    PostageError,
    ContentError,
    BoxError,
    crate::files::FileError
);

impl From<LetterError> for Trouble {
    fn from(error: LetterError) -> Self {
        Self::Never(format!("5.7.5 {error}"))
    }
}

/// What a reader's gate says to a sender, as SMTP says it; None when the letter may go.
pub fn refusal(mailbox: &Mailbox, postage: &Postage, max_postage: u64) -> Option<String> {
    match postage {
        Postage::Free => None,
        Postage::Priced(price) if *price <= max_postage => None,
        Postage::Priced(price) => Some(format!(
            "5.7.1 {mailbox} takes mail from you for {price}, and you pay at most {max}: raise max_postage in the mail \
             settings to {price} (or `phantasma mail send --max-postage`), or ask to be put on the allow-list",
            price = soul(*price),
            max = soul(max_postage)
        )),
        Postage::Beyond(price) => Some(format!(
            "5.7.1 {mailbox} takes mail from you for {}, which your account does not have",
            soul(*price)
        )),
        Postage::Refused(words) => Some(format!(
            "5.7.1 {mailbox} takes no mail from you ({words}): ask to be put on the allow-list"
        )),
    }
}

/// Takes a job as far as it goes now. Gives whether it is done; the job says what became of each reader.
pub async fn attempt(
    post: &Post,
    outbox: &Outbox,
    id: &str,
    job: &mut Job,
) -> Result<bool, Trouble> {
    job.attempts = job.attempts.saturating_add(1);
    let carried = prepare(post, outbox, id, job).await?;
    let mut worst = None;
    for at in 0..job.recipients.len() {
        let waiting = job
            .recipients
            .get(at)
            .is_some_and(|r| r.state == Delivery::Waiting);
        if !waiting {
            continue;
        }
        let state = match deliver(post, outbox, id, job, at, &carried).await {
            Ok(()) => Delivery::Sent,
            Err(Trouble::Never(reason)) => Delivery::Failed(reason),
            Err(Trouble::Later(reason)) => {
                worst = Some(Trouble::Later(reason));
                continue;
            }
            Err(error @ Trouble::Outbox(_)) => return Err(error),
        };
        if let Some(recipient) = job.recipients.get_mut(at) {
            recipient.state = state;
        }
        outbox.save(id, job)?;
    }
    match worst {
        Some(trouble) => Err(trouble),
        None => Ok(job.is_done()),
    }
}

/// Encrypts the mail once for all readers, and stores it if it is long.
async fn prepare(
    post: &Post,
    outbox: &Outbox,
    id: &str,
    job: &mut Job,
) -> Result<Carried, Trouble> {
    let path = outbox.mail(id);
    let size = std::fs::metadata(&path)
        .map_err(failed("inspect", &path))?
        .len();
    if job.key.is_none() {
        job.key = Some(ContentKey::random().to_hex().to_string());
        outbox.save(id, job)?;
    }
    if size > MAX_WITHIN as u64 {
        return stored(post, outbox, id, job).await;
    }
    let key = key_of(job.key.as_deref().unwrap_or_default())?;
    let mail = std::fs::read(&path).map_err(failed("read", &path))?;
    let (root, ciphertext) = letter::encrypt(&mail, &key)?;
    job.root = Some(hex::encode(root));
    Ok(Carried::Within(ciphertext))
}

/// Puts the ciphertext on the storage network, unless it is there.
async fn stored(post: &Post, outbox: &Outbox, id: &str, job: &mut Job) -> Result<Carried, Trouble> {
    let path = outbox.mail(id);
    let size = std::fs::metadata(&path)
        .map_err(failed("inspect", &path))?
        .len();
    if !job.stored {
        let key = key_of(job.key.as_deref().unwrap_or_default())?;
        let root = store(post, &path, &key).await?;
        job.root = Some(hex::encode(root));
        job.stored = true;
        outbox.save(id, job)?;
    }
    Ok(Carried::Stored { size })
}

fn key_of(text: &str) -> Result<ContentKey, Trouble> {
    ContentKey::from_hex(text).map_err(|error| Trouble::Never(format!("5.3.0 {error}")))
}

/// Registers and uploads a long mail; both go on where they broke off.
async fn store(post: &Post, path: &Path, key: &ContentKey) -> Result<[u8; 32], Trouble> {
    let prepared = content::prepare(path, key).await?;
    let root = prepared.root();
    if post.nodes.len() < post.terms.replicas {
        return Err(Trouble::Never(format!(
            "5.3.4 a mail of {} bytes goes over {} storage nodes, and {} are known: add `nodes` to phantasma.toml",
            prepared.size(),
            post.terms.replicas,
            post.nodes.len()
        )));
    }
    if post.contract.content_info(&root).await?.is_none() {
        let mut order = ContentOrder {
            root,
            size: prepared.size(),
            mode: ContentMode::ReadOnly,
            priority: Priority::Low,
            periods: post.terms.periods,
            max_payment: 0,
        };
        let fee = order
            .fee(&post.contract.settings().await?)
            .unwrap_or(u64::MAX);
        let balance = post.contract.balance_of(&post.account.script_hash).await?;
        if fee > post.terms.max_storage || fee > balance {
            return Err(Trouble::Never(format!(
                "5.3.4 keeping a mail of {} bytes for its readers costs {}; max_storage is {} and you have {}",
                prepared.size(),
                soul(fee),
                soul(post.terms.max_storage),
                soul(balance)
            )));
        }
        order.max_payment = fee;
        post.contract.create_content(&post.account, &order).await?;
    }
    let client = post.storage()?;
    let options = PutOptions {
        replicas: post.terms.replicas,
        ..PutOptions::default()
    };
    let sent = content::upload(
        &client,
        &post.nodes,
        path,
        key,
        &prepared,
        &options,
        &|_| (),
    )
    .await;
    client.close().await;
    sent?;
    Ok(root)
}

async fn deliver(
    post: &Post,
    outbox: &Outbox,
    id: &str,
    job: &mut Job,
    at: usize,
    carried: &Carried,
) -> Result<(), Trouble> {
    let Some(mut recipient) = job.recipients.get(at).cloned() else {
        return Ok(());
    };
    let mailbox = Mailbox::of_box(&recipient.name)
        .map_err(|error| Trouble::Never(format!("5.1.3 {error}")))?;
    let Some(reader) = box_of(&post.contract, &mailbox).await? else {
        return Err(Trouble::Never(format!(
            "5.1.1 there is no mailbox {mailbox}"
        )));
    };
    let sealed = match &recipient.sealed {
        Some(text) => unhex_seal(text)?,
        None => {
            let sealed = seal(post, &reader, job)?;
            recipient.sealed = Some(hex::encode(sealed.encode()));
            keep(outbox, id, job, at, &recipient)?;
            sealed
        }
    };
    let postage = match recipient.payment {
        // It is being paid already.
        Some(_) => Postage::Priced(recipient.max_postage),
        None => postage::quote(&post.contract, &post.account.script_hash, reader.id).await?,
    };
    if let Some(refusal) = refusal(&mailbox, &postage, recipient.max_postage) {
        return Err(Trouble::Never(refusal));
    }
    let mut sent = Letter {
        sealed,
        carried: carried.clone(),
    };
    if postage == Postage::Free {
        return publish(post, reader.id, &sent).await;
    }
    let long = matches!(&sent.carried, Carried::Within(bytes) if bytes.len() > MAX_ON_CHAIN);
    if long && post.nodes.len() >= post.terms.replicas {
        sent.carried = stored(post, outbox, id, job).await?;
    }
    let place = Place { outbox, id, at };
    write(post, &place, job, &mut recipient, reader.id, &sent).await
}

/// Which reader of which job.
struct Place<'a> {
    outbox: &'a Outbox,
    id: &'a str,
    at: usize,
}

/// Writes down how far a reader's letter is.
fn keep(
    outbox: &Outbox,
    id: &str,
    job: &mut Job,
    at: usize,
    recipient: &Recipient,
) -> Result<(), Trouble> {
    if let Some(place) = job.recipients.get_mut(at) {
        *place = recipient.clone();
    }
    Ok(outbox.save(id, job)?)
}

fn unhex_seal(text: &str) -> Result<Sealed, Trouble> {
    let damaged = |_| Trouble::Never("5.3.0 the outbox is damaged".to_owned());
    let bytes =
        hex::decode(text).map_err(|_| Trouble::Never("5.3.0 the outbox is damaged".to_owned()))?;
    Sealed::decode(bytes.into()).map_err(damaged)
}

fn seal(post: &Post, reader: &BoxInfo, job: &Job) -> Result<Sealed, Trouble> {
    let key = key_of(job.key.as_deref().unwrap_or_default())?;
    let mut root = [0; 32];
    hex::decode_to_slice(job.root.as_deref().unwrap_or_default(), &mut root)
        .map_err(|_| Trouble::Never("5.3.0 the outbox is damaged".to_owned()))?;
    let key = Zeroizing::new(*key.as_bytes());
    Ok(letter::seal(
        &post.account.key,
        &reader.public_key,
        &root,
        &key,
    )?)
}

/// Writes a letter into the reader's box on the chain, and pays what the gate charges.
async fn write(
    post: &Post,
    place: &Place<'_>,
    job: &mut Job,
    recipient: &mut Recipient,
    box_id: u64,
    letter: &Letter,
) -> Result<(), Trouble> {
    let script = boxes::data_content(&letter.encode()).map_err(BoxError::from)?;
    let params = [
        post.account.script_hash.into(),
        box_id.into(),
        script.as_slice().into(),
        recipient.max_postage.into(),
    ];
    let call = post.contract.call(&post.account, "writeContent", &params)?;
    let receipt = pay(post, place, job, recipient, &call).await?;
    tracing::info!(txid = %receipt.txid, box_id, "a letter was paid for and is on the chain");
    Ok(())
}

/// Sends the transaction that pays. Written down first: after a crash the very same one is sent again, which the chain
/// takes once.
async fn pay(
    post: &Post,
    place: &Place<'_>,
    job: &mut Job,
    recipient: &mut Recipient,
    call: &TransactionBuilder,
) -> Result<Receipt, Trouble> {
    let node = post.contract.rpc();
    let begun = recipient.payment.as_deref().and_then(|text| {
        let bytes = hex::decode(text).ok()?;
        Transaction::from_bytes(&bytes).ok()
    });
    let transaction = match begun {
        Some(transaction) => transaction,
        None => {
            let made = call.prepare(node).await.map_err(ContractError::from);
            let made = made.map_err(no_gas)?;
            recipient.payment = Some(hex::encode(made.to_bytes()));
            keep(place.outbox, place.id, job, place.at, recipient)?;
            made
        }
    };
    let pending = PendingTransaction {
        txid: transaction.hash(),
        valid_until_block: transaction.valid_until_block,
        system_fee: transaction.system_fee,
        network_fee: transaction.network_fee,
        what: "the letter".to_owned(),
    };
    let known = [rpc::codes::ALREADY_EXISTS, rpc::codes::ALREADY_IN_POOL];
    let outcome = match node.send_raw_transaction(&transaction).await {
        Err(error) if error.is_transient() => return Err(ContractError::from(error).into()),
        Err(error) if !error.code().is_some_and(|code| known.contains(&code)) => {
            // The node took it never and takes it no more: one that it took would be known.
            match pending.look(node).await {
                Ok(Some(receipt)) => Ok(receipt),
                Ok(None) | Err(_) => Err(ContractError::from(error)),
            }
        }
        Ok(_) | Err(_) => pending.wait(node).await.map_err(ContractError::from),
    };
    match outcome {
        Ok(receipt) => Ok(receipt),
        Err(ContractError::Write(ActorError::Rpc(error))) if error.is_transient() => {
            Err(ContractError::from(error).into())
        }
        Err(error) => {
            recipient.payment = None;
            keep(place.outbox, place.id, job, place.at, recipient)?;
            Err(no_gas(error))
        }
    }
}

/// Without GAS it does not help to try again.
fn no_gas(error: ContractError) -> Trouble {
    let code = match &error {
        ContractError::Rpc(error) | ContractError::Write(ActorError::Rpc(error)) => error.code(),
        ContractError::Invoke(_)
        | ContractError::Write(_)
        | ContractError::Fault { .. }
        | ContractError::Answer { .. } => None,
    };
    match code == Some(rpc::codes::INSUFFICIENT_FUNDS) {
        true => Trouble::Never(format!(
            "5.7.1 your account has not enough GAS to pay on the chain: {error}"
        )),
        false => error.into(),
    }
}

async fn publish(post: &Post, box_id: u64, letter: &Letter) -> Result<(), Trouble> {
    let data = letter.encode();
    let (sequence, time_ms) = (post.next_sequence(), now_ms());
    let message = boxes::sign(
        &post.contract,
        &post.account,
        box_id,
        sequence,
        time_ms,
        Class::Durable,
        &data,
    )
    .await?;
    let client = post.connect().await?;
    let outcome = client.publish(message).await;
    client.close().await;
    match outcome {
        Ok(Outcome::Stored { .. }) => Ok(()),
        Ok(other) => Err(Trouble::Later(format!(
            "4.4.1 the relay answered with {other:?}"
        ))),
        Err(RelayClientError::Refused {
            error: RelayError::WrongChain | RelayError::UnknownBox,
            text,
        }) => Err(Trouble::Never(format!("5.4.4 the relay refuses: {text}"))),
        Err(error) => Err(PostError::from(error).into()),
    }
}
