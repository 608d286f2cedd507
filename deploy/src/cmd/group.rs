//! `phantasma group`: one key for all members of a box, of whom any can be left out later.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use neo_client::{Account, PublicKey};
use phantasma_sdk::contract::{BoxInfo, Phantasma};
use phantasma_sdk::group::id_of_box;
use phantasma_sdk::group::roster::{MAX_PLACES, Roster};
use phantasma_sdk::seal;
use phantasma_wire::codec::Frame;
use serde_json::json;

use super::box_;
use super::content::{keystore, parse_root};
use super::context::Context;
use super::share::{folder, known_key, membership_path, open_member, write_new};

#[derive(Debug, Subcommand)]
pub enum GroupCommand {
    /// Make the group of a box that the wallet's account owns.
    New {
        #[command(flatten)]
        of: OfBox,
        /// Members that it can have had in all, rounded up to a power of two; excluded ones count.
        #[arg(long, default_value_t = MAX_PLACES as u32, value_parser = clap::value_parser!(u32).range(2..=MAX_PLACES as i64))]
        places: u32,
    },
    /// Put somebody on the box's include list and seal the member's keys to the member's Neo key.
    Admit {
        #[command(flatten)]
        of: OfBox,
        /// The member's public key, 66 hex digits.
        member: PublicKey,
        /// Where to put the sealed keys; the file must not exist yet. It may travel by any way.
        #[arg(long, short, value_name = "FILE")]
        out: PathBuf,
    },
    /// Take the member's keys that the box's owner sealed to this account.
    Join {
        #[command(flatten)]
        of: OfBox,
        /// The file that was received.
        file: PathBuf,
    },
    /// Take somebody off the box's include list and leave the member out from now on.
    Exclude {
        #[command(flatten)]
        of: OfBox,
        /// The member's public key, 66 hex digits.
        member: PublicKey,
    },
    /// Leave out every member whom the box does not include any more.
    Follow {
        #[command(flatten)]
        of: OfBox,
    },
    /// Give all members a content's key with one header, those left out whom the box does not include any more.
    Share {
        #[command(flatten)]
        of: OfBox,
        /// The content's root, 64 hex digits.
        root: String,
        /// Where to put the header; the file must not exist yet. It may be public.
        #[arg(long, short, value_name = "FILE")]
        out: PathBuf,
    },
    /// Draw new keys for the members that are left: one sealed file for each. Old keys open no later header.
    Renew {
        #[command(flatten)]
        of: OfBox,
        /// Where to put the files, named by address; the folder must not exist yet.
        #[arg(long, short, value_name = "FOLDER")]
        out: PathBuf,
    },
    /// Show members and places.
    Info {
        #[command(flatten)]
        of: OfBox,
    },
}

/// The box whose group it is.
#[derive(Debug, Args)]
pub struct OfBox {
    /// The box's name, or its number; name:12 for a box whose name is a number.
    #[arg(value_name = "BOX")]
    target: String,
}

/// What every command needs.
struct Scene<'a> {
    context: &'a Context,
    contract: Phantasma,
    account: Account,
    target: BoxInfo,
}

pub(super) async fn run(context: &Context, command: GroupCommand) -> Result<()> {
    match command {
        GroupCommand::New { of, places } => Scene::new(context, &of).await?.create(places),
        GroupCommand::Admit { of, member, out } => {
            Scene::new(context, &of).await?.admit(member, out).await
        }
        GroupCommand::Join { of, file } => Scene::new(context, &of).await?.join(file),
        GroupCommand::Exclude { of, member } => {
            Scene::new(context, &of).await?.exclude(member).await
        }
        GroupCommand::Follow { of } => Scene::new(context, &of).await?.follow().await,
        GroupCommand::Share { of, root, out } => {
            Scene::new(context, &of).await?.share(&root, out).await
        }
        GroupCommand::Renew { of, out } => Scene::new(context, &of).await?.renew(out).await,
        GroupCommand::Info { of } => Scene::new(context, &of).await?.info(),
    }
}

impl<'a> Scene<'a> {
    async fn new(context: &'a Context, of: &OfBox) -> Result<Self> {
        let contract = Phantasma::new(context.rpc(), context.contract()?);
        let box_id = box_::find(&contract, &of.target).await?;
        let target = contract.box_info(box_id).await?;
        Ok(Self {
            context,
            target: target.with_context(|| format!("there is no box {box_id}"))?,
            contract,
            account: context.account()?,
        })
    }

    fn roster_path(&self) -> PathBuf {
        let name = format!("{}.json", self.target.id);
        folder(self.context, &self.account, "groups").join(name)
    }

    fn roster(&self) -> Result<Roster> {
        let path = self.roster_path();
        if !path.exists() {
            bail!(
                "box \"{0}\" has no group here ({1}); its owner makes one with `phantasma group new {0}`",
                self.target.name,
                path.display()
            );
        }
        Ok(Roster::open(path, &self.account.key)?)
    }

    fn create(&self, places: u32) -> Result<()> {
        if self.target.owner != self.account.script_hash {
            bail!(
                "box \"{}\" belongs to {}; only its owner makes its group",
                self.target.name,
                self.target.owner.to_address()
            );
        }
        let path = self.roster_path();
        make_folder(&path)?;
        // Between 2^1 and 2^20, so it fits.
        let height = places.next_power_of_two().ilog2() as u8;
        let id = id_of_box(&self.contract.hash(), self.target.id);
        let roster = Roster::create(&path, &self.account.key, id, self.target.id, height)?;
        let places = roster.group().places();
        let data = json!({
            "group": hex::encode(id), "box": self.target.id, "places": places, "roster": path,
        });
        let text = format!(
            "group {} of box \"{}\", {places} places\n{}: keep a copy, nothing else brings the group back",
            hex::encode(id),
            self.target.name,
            path.display()
        );
        self.context.print(&data, &text)
    }

    async fn admit(&self, member: PublicKey, out: PathBuf) -> Result<()> {
        let mut roster = self.roster()?;
        if out.exists() {
            bail!("{} exists already and is left as it is", out.display());
        }
        let (address, account) = (member.script_hash().to_address(), member.script_hash());
        if !self.contract.is_member(self.target.id, &account).await? {
            self.contract
                .include(&self.account, self.target.id, &account)
                .await?;
            self.context
                .say(&format!("{address} is on the box's include list now"));
        }
        let key = roster.admit(&self.account.key, &member)?;
        let sealed = seal::member_key(&self.account.key, &member, &key)?;
        write_new(&out, &sealed.encode())?;
        let data = json!({
            "member": address, "place": key.place(), "epoch": key.epoch(), "file": out,
        });
        let text = format!(
            "{address} has place {}\n{}: give it to the member, who takes it with `phantasma group join`",
            key.place(),
            out.display()
        );
        self.context.print(&data, &text)
    }

    fn join(&self, file: PathBuf) -> Result<()> {
        let (key, sealed) = open_member(&self.account, &file)?;
        if *key.group() != id_of_box(&self.contract.hash(), self.target.id)
            || key.owner().script_hash() != self.target.owner
        {
            bail!(
                "{} is not of the group of box \"{}\", or not from the box's owner",
                file.display(),
                self.target.name
            );
        }
        let path = membership_path(self.context, &self.account, key.group(), key.epoch());
        make_folder(&path)?;
        // Who comes back after an exclusion gets a later place, which then counts.
        neo_client::wallet::replace_file(&path, &sealed)
            .with_context(|| format!("writing {}", path.display()))?;
        let data = json!({
            "group": hex::encode(key.group()), "box": self.target.id, "place": key.place(),
            "epoch": key.epoch(), "file": path,
        });
        let text = format!("a member of the group of box \"{}\" now", self.target.name);
        self.context.print(&data, &text)
    }

    async fn exclude(&self, member: PublicKey) -> Result<()> {
        let mut roster = self.roster()?;
        let account = member.script_hash();
        // The roster first: it alone decides what a header gives away.
        roster.exclude(&member)?;
        if self.contract.is_member(self.target.id, &account).await? {
            self.contract
                .exclude(&self.account, self.target.id, &account)
                .await?;
        }
        self.report(&roster, &[member])
    }

    async fn follow(&self) -> Result<()> {
        let mut roster = self.roster()?;
        let gone = roster.follow(&self.contract).await?;
        self.report(&roster, &gone)
    }

    fn report(&self, roster: &Roster, gone: &[PublicKey]) -> Result<()> {
        let gone: Vec<String> = gone
            .iter()
            .map(|member| member.script_hash().to_address())
            .collect();
        let members = roster.members().count();
        let data = json!({"excluded": gone, "members": members});
        let text = match gone.as_slice() {
            [] => format!("nobody was excluded; {members} members"),
            gone => format!(
                "left out from now on: {}; {members} members are left. What they were given before stays readable to them",
                gone.join(", ")
            ),
        };
        self.context.print(&data, &text)
    }

    async fn share(&self, root: &str, out: PathBuf) -> Result<()> {
        let root = parse_root(root)?;
        let key = known_key(&keystore(self.context, &self.account)?, &root)?;
        let mut roster = self.roster()?;
        for member in roster.follow(&self.contract).await? {
            let address = member.script_hash().to_address();
            self.context.say(&format!(
                "the box does not include {address} any more: left out from now on"
            ));
        }
        let header = roster.wrap(&self.account.key, root, &key)?;
        let bytes = header.encode();
        write_new(&out, &bytes)?;
        let (members, excluded) = (roster.members().count(), roster.revoked().len());
        let entries = header.entries().len();
        let data = json!({
            "root": hex::encode(root), "members": members, "excluded": excluded,
            "entries": entries, "bytes": bytes.len(), "file": out,
        });
        let text = format!(
            "{}: for {members} members, {excluded} places left out, {entries} entries, {} bytes; they take it with \
             `phantasma content accept`",
            out.display(),
            bytes.len()
        );
        self.context.print(&data, &text)
    }

    async fn renew(&self, out: PathBuf) -> Result<()> {
        let mut roster = self.roster()?;
        std::fs::create_dir(&out).with_context(|| format!("creating {}", out.display()))?;
        roster.follow(&self.contract).await?;
        roster.renew()?;
        let members: Vec<PublicKey> = roster.members().copied().collect();
        for member in &members {
            let key = roster.admit(&self.account.key, member)?;
            let sealed = seal::member_key(&self.account.key, member, &key)?;
            let name = format!("{}.member", member.script_hash().to_address());
            write_new(&out.join(name), &sealed.encode())?;
        }
        let (epoch, count) = (roster.group().epoch(), members.len());
        let data = json!({"epoch": epoch, "members": count, "folder": out});
        let text = format!(
            "epoch {epoch}: {count} members must join again, with the files in {}",
            out.display()
        );
        self.context.print(&data, &text)
    }

    fn info(&self) -> Result<()> {
        let roster = self.roster()?;
        let members: Vec<String> = roster
            .members()
            .map(|member| member.script_hash().to_address())
            .collect();
        let (group, given) = (roster.group(), roster.places().len());
        let data = json!({
            "group": hex::encode(group.id()), "box": roster.box_id(), "epoch": group.epoch(),
            "places": group.places(), "given": given, "members": members,
        });
        let text = format!(
            "group {}, epoch {}\n{given} of {} places given, {} members\n{}",
            hex::encode(group.id()),
            group.epoch(),
            group.places(),
            members.len(),
            members.join("\n")
        );
        self.context.print(&data, text.trim_end())
    }
}

/// The folder that a file is to be in.
fn make_folder(file: &std::path::Path) -> Result<()> {
    let Some(folder) = file.parent() else {
        return Ok(());
    };
    std::fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))
}
