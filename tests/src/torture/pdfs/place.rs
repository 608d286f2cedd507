//! One storage node: its place, its process, and everything that is done to both.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use neo_client::{PrivateKey, Wallet};
use phantasma_net::Identity;
use phantasma_sdk::pdfs::NodeAddress;

use super::ground::{Ground, run};
use crate::torture::random::Random;
use crate::{ProcessGuard, binary};

const PASSWORD: &str = "open sesame";

/// A start takes a second; a busy machine more.
const PATIENCE: Duration = Duration::from_secs(60);

/// What an operator is told to do, at most so often in one start.
const REMEDIES: usize = 4;

/// Ports of a node on its address: data plane, control plane, HTTP.
const PORTS: [u16; 3] = [4200, 4201, 4202];

/// What all nodes are told.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub(super) ground: Ground,
    pub(super) rpc: String,
    pub(super) contract: String,
    /// Seconds between two questions to another holder.
    pub(super) ask_every_s: u64,
}

/// A node's place: address, key and disk stay when its process ends.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) n: usize,
    told: Told,
    /// Wallet, log and clock: not on the node's own disk.
    home: PathBuf,
    disk: PathBuf,
    key: [u8; 33],
    process: Option<ProcessGuard>,
    /// Where the log of the running process begins.
    log_from: usize,
}

impl Place {
    /// A place with an empty disk; no process yet.
    pub(super) fn new(n: usize, told: &Told, home: &Path) -> Self {
        let home = home.join(format!("node{n}"));
        let disk = home.join("disk");
        fs::create_dir_all(&home).unwrap();
        told.ground.connect(n);
        told.ground.disk(&disk);
        let key = PrivateKey::random().unwrap();
        let mut wallet = Wallet::create(home.join("wallet.json")).unwrap();
        wallet.add_account(&key, PASSWORD, "node").unwrap();
        fs::write(home.join("clock"), "+0").unwrap();
        Self {
            n,
            told: told.clone(),
            disk,
            home,
            key: Identity::from_scalar(&key.to_bytes()).unwrap().public_key(),
            process: None,
            log_from: 0,
        }
    }

    /// Its data plane.
    pub(super) fn node(&self) -> NodeAddress {
        NodeAddress {
            public_key: self.key,
            address: self.at(0),
        }
    }

    /// `host:port` of its control plane.
    pub(super) fn control(&self) -> String {
        self.at(1)
    }

    /// `host:port` of its gateway.
    pub(super) fn http(&self) -> String {
        self.at(2)
    }

    fn at(&self, port: usize) -> String {
        format!("{}:{}", self.told.ground.address(self.n), PORTS[port])
    }

    /// Its log since the last start.
    pub(super) fn log(&self) -> String {
        let bytes = fs::read(self.home.join("log")).unwrap_or_default();
        let new = bytes.get(self.log_from..).unwrap_or_default();
        String::from_utf8_lossy(new).into_owned()
    }

    fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(ProcessGuard::id)
    }

    /// Starts the process without waiting for it. It joins `others`.
    pub(super) fn spawn(&mut self, others: &[(NodeAddress, String)]) {
        let log = self.home.join("log");
        self.log_from = fs::metadata(&log).map_or(0, |meta| meta.len() as usize);
        let words = self.told.ground.command(self.n);
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).arg(binary("phantasma-pdfs"));
        command.arg("--wallet").arg(self.home.join("wallet.json"));
        command.arg("--data").arg(self.data());
        let own = ["--listen", "--control", "--http"].map(str::to_owned);
        for (port, flag) in own.iter().enumerate() {
            command.args([flag, &self.at(port)]);
        }
        command.args(["--rpc", &self.told.rpc, "--contract", &self.told.contract]);
        command.args(["--replicas-wanted", "3", "--replicas-ask-every-s"]);
        command.arg(self.told.ask_every_s.to_string());
        // Upkeep all the time: a round is short on so little, and everything damaged is to be found.
        command.args(["--upkeep-minutes", "0.03", "--segment-mib", "2"]);
        for (node, control) in others {
            let key = hex::encode(node.public_key);
            command.args(["--join", &format!("{key}@{}", node.address)]);
            command.args(["--bootstrap", &format!("{key}@{control}")]);
        }
        if let Some(library) = clock_library() {
            command
                .env("LD_PRELOAD", library)
                .env("FAKETIME_TIMESTAMP_FILE", self.home.join("clock"))
                .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
                .env("FAKETIME_CACHE_DURATION", "1");
        }
        let errors = OpenOptions::new().create(true).append(true).open(log);
        command
            .env("PHANTASMA_PASSWORD", PASSWORD)
            .stdin(Stdio::null())
            .stdout(File::create(self.home.join("out")).unwrap())
            .stderr(errors.unwrap());
        self.process = Some(ProcessGuard::spawn(&mut command));
    }

    /// `None` while it starts; then whether it did.
    fn started(&mut self) -> Option<bool> {
        if fs::read_to_string(self.home.join("out")).is_ok_and(|said| said.ends_with('\n')) {
            return Some(true);
        }
        let process = self.process.as_mut()?;
        process.exit_status().map(|_| false)
    }

    /// Waits until the node is ready. When its store does not open, does what its message tells an operator to do.
    pub(super) fn ready(&mut self, others: &[(NodeAddress, String)]) -> Result<(), String> {
        for _ in 0..REMEDIES {
            let begun = Instant::now();
            let started = loop {
                if let Some(started) = self.started() {
                    break started;
                }
                if begun.elapsed() > PATIENCE {
                    return Err(format!("node {} is not ready\n{}", self.n, self.log()));
                }
                std::thread::sleep(Duration::from_millis(10));
            };
            if started {
                return Ok(());
            }
            self.process = None;
            self.remedy()?;
            self.spawn(others);
        }
        Err(format!("node {} does not start\n{}", self.n, self.log()))
    }

    /// Starts the node and waits.
    pub(super) fn start(&mut self, others: &[(NodeAddress, String)]) -> Result<(), String> {
        self.spawn(others);
        self.ready(others)
    }

    /// What the last message in the log tells the operator to do with a store that does not open.
    fn remedy(&self) -> Result<(), String> {
        let log = self.log();
        let last = log.lines().last().unwrap_or_default();
        if let Some((_, rest)) = last.split_once("segment header of ") {
            let path = rest.split(" is damaged").next().unwrap_or_default();
            fs::rename(path, self.home.join("damaged.seg")).map_err(|e| format!("{path}: {e}"))?;
        } else if !last.contains("the folder `index`") {
            return Err(format!("node {} does not start\n{log}", self.n));
        }
        let _ = fs::remove_dir_all(self.data().join("index"));
        Ok(())
    }

    /// After trouble: does what the running node's log tells an operator to do. Gives whether it was anything.
    pub(super) fn attend(&mut self, others: &[(NodeAddress, String)]) -> Result<bool, String> {
        let log = self.log();
        let index = log.contains("delete the folder `index`");
        if !index && !log.contains("check the disk and restart") {
            return Ok(false);
        }
        self.kill();
        if index {
            let _ = fs::remove_dir_all(self.data().join("index"));
        }
        self.start(others)?;
        Ok(true)
    }

    fn data(&self) -> PathBuf {
        self.disk.join("data")
    }

    pub(super) fn is_running(&self) -> bool {
        self.process.is_some()
    }

    /// Ends the process at once, as a crash would.
    pub(super) fn kill(&mut self) {
        if let Some(process) = self.process.take() {
            process.kill();
        }
    }

    /// Holds the process, or lets it go on.
    pub(super) fn hold(&self, held: bool) {
        if let Some(pid) = self.pid() {
            let signal = if held { "STOP" } else { "CONT" };
            run(&format!("kill -{signal} {pid}"));
        }
    }

    /// Moves the node's clock; 0 is the right time.
    pub(super) fn clock(&self, offset_s: i64) {
        fs::write(self.home.join("clock"), format!("{offset_s:+}")).unwrap();
    }

    /// Fills the disk, or frees it.
    pub(super) fn fill(&self, full: bool) {
        match (full, self.pid()) {
            (true, Some(pid)) => self.told.ground.fill(&self.disk, pid),
            (true, None) => {}
            (false, pid) => self.told.ground.empty(&self.disk, pid),
        }
    }

    /// A new, empty disk for a node that does not run.
    pub(super) fn wipe(&self) {
        let _ = fs::remove_dir_all(self.data());
    }

    /// Flips bits in the segments: behind their headers, unless `anywhere`.
    pub(super) fn flip_segments(&self, bits: usize, random: &mut Random) {
        flip(&self.data().join("segments"), bits, random, |name| {
            name.ends_with(".seg")
        });
    }

    /// Flips bits in the files of the index.
    pub(super) fn flip_index(&self, bits: usize, random: &mut Random) {
        flip(&self.data().join("index"), bits, random, |name| {
            name != "LOCK" && !name.starts_with("LOG") && !name.starts_with("OPTIONS")
        });
    }

    /// Removes everything.
    pub(super) fn remove(mut self) {
        self.kill();
        self.told.ground.no_disk(&self.disk);
    }
}

fn flip(folder: &Path, bits: usize, random: &mut Random, of_interest: impl Fn(&str) -> bool) {
    let mut files: Vec<(PathBuf, u64)> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let len = fs::metadata(&path).ok()?.len();
            let name = path.file_name()?.to_str()?;
            (len > 0 && of_interest(name)).then_some((path, len))
        })
        .collect();
    files.sort();
    if files.is_empty() {
        return;
    }
    for _ in 0..bits {
        let (path, len) = random.pick(&files);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(path)
            .unwrap();
        let (at, mut byte) = (random.next_u64() % len, [0]);
        // A file may have shrunk since it was listed.
        if file.read_exact_at(&mut byte, at).is_ok() {
            byte[0] ^= 1 << random.below(8);
            file.write_all_at(&byte, at).unwrap();
        }
    }
}

/// The library that moves a process's clock, from the Debian package `faketime`.
pub(super) fn clock_library() -> Option<PathBuf> {
    let folders = fs::read_dir("/usr/lib").ok()?.filter_map(Result::ok);
    let mut found = folders.map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"));
    found.find(|path| path.exists())
}
