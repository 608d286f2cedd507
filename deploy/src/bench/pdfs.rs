//! `phantasma bench pdfs`: the storage network's speed and memory.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::iroh;
use super::report::{Report, Verdict, median};
use crate::paths;
use crate::service::{Service, program};

/// What to measure, and how much of it.
#[derive(Clone, Debug)]
pub struct Options {
    /// Bytes of the contents that are put and read.
    pub bytes: u64,
    /// Bytes of the content in which is sought.
    pub seek_bytes: u64,
    /// Contents of 1 KiB.
    pub small: u64,
    /// Each thing is measured so often, in turn with its peers.
    pub runs: usize,
    /// `None`: below `target/`.
    pub dir: Option<PathBuf>,
    /// Measure iroh-blobs too.
    pub iroh: bool,
}

const MB: f64 = 1e6;
const RATE: &str = "MB/s";

/// Random places that are sought.
const SEEKS: &str = "200";

/// Bytes of the stores that are filled: enough for the disk to be the limit.
const STORE_BYTES: u64 = 512 << 20;

/// Get beside iroh-blobs; put beside the disk; the store beside a bare file and beside RocksDB; encryption and hashing
/// beside the slower of both; small contents at the end beside the start.
const GET: f64 = 1.5;
const PUT: f64 = 0.5;
const STORE: f64 = 0.9;
const STORE_ROCKSDB: f64 = 3.0;
const PIPELINE: f64 = 0.8;
const SMALL: f64 = 0.9;
const SEEK_MS: f64 = 20.0;
const CLIENT_MIB: f64 = 64.0;

/// One run.
struct Bench<'a> {
    hands: PathBuf,
    dir: &'a Path,
    options: &'a Options,
    report: Report,
    say: &'a dyn Fn(&str),
}

/// Measures everything. `say` hears what is going on.
pub async fn run(options: &Options, say: &dyn Fn(&str)) -> Result<Report> {
    let hands = program("phantasma-pdfs-bench")?;
    let iroh = match options.iroh.then(|| iroh::install(say)).transpose() {
        Ok(iroh) => iroh,
        Err(error) => {
            say(&format!(
                "iroh-blobs is left out: {error:#}\n(`--peer none` says so at once)"
            ));
            None
        }
    };
    if cfg!(debug_assertions) {
        say("this is a debug build: its numbers say little; build with --release");
    }
    let dir = match &options.dir {
        Some(dir) => dir.clone(),
        None => paths::workspace().join("target"),
    };
    let dir = dir.join(format!("bench-pdfs-{}", std::process::id()));
    fs::create_dir_all(&dir).with_context(|| format!("creating {}", dir.display()))?;
    let mut bench = Bench {
        hands,
        dir: &dir,
        options,
        report: Report::default(),
        say,
    };
    let outcome = bench.all(iroh.as_deref()).await;
    let report = bench.report;
    fs::remove_dir_all(&dir).with_context(|| format!("removing {}", dir.display()))?;
    outcome.map(|()| report)
}

/// The table for people, and the verdicts.
pub fn text(report: &Report) -> String {
    format!(
        "{}\nratio: ours by the peer's. Medians; both sides of a line were measured in turn.\n{}",
        report.table(),
        report.verdicts()
    )
}

impl Bench<'_> {
    async fn all(&mut self, iroh: Option<&Path>) -> Result<()> {
        (self.say)("encryption and hashing");
        let file = self.path("file");
        let bytes = self.options.bytes.to_string();
        self.hand(&["make", &file, &bytes])?;
        self.pipeline(&file)?;
        (self.say)("the store");
        self.store()?;
        (self.say)("put and get");
        self.transfer(&file, iroh).await?;
        (self.say)("seek");
        self.seek().await?;
        (self.say)("small contents");
        self.small().await
    }

    fn pipeline(&mut self, file: &str) -> Result<()> {
        let (mut ours, mut aes, mut sha) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..self.options.runs {
            let found = self.hand(&["pipeline", file])?;
            ours.push(number(&found, "ours")? / MB);
            aes.push(number(&found, "aes")? / MB);
            sha.push(number(&found, "sha")? / MB);
        }
        let (ours, aes, sha) = (middle(ours)?, middle(aes)?, middle(sha)?);
        let case = ("encrypt and hash", "rate", RATE);
        let one_core = |name: &str| format!("{name}, one core");
        let lower = aes.min(sha);
        for (name, rate) in [("AES-256-CTR", aes), ("SHA-256", sha)] {
            let least = (rate <= lower).then_some(PIPELINE);
            let peer = Some((&*one_core(name), rate));
            self.report.push_rate(case, ours, peer, least);
        }
        Ok(())
    }

    fn store(&mut self) -> Result<()> {
        let kinds = ["ours", "segment", "rocksdb"];
        let mut rates = kinds.map(|_| Vec::new());
        let bytes = STORE_BYTES.min(self.options.bytes).to_string();
        for _ in 0..self.options.runs {
            for (kind, rates) in kinds.iter().zip(&mut rates) {
                let dir = self.path(kind);
                let found = self.hand(&["store", kind, &dir, &bytes])?;
                rates.push(number(&found, "bytes")? / number(&found, "seconds")? / MB);
                fs::remove_dir_all(&dir).with_context(|| format!("removing {dir}"))?;
            }
        }
        let [ours, segment, rocksdb] = rates.map(middle);
        let (case, ours) = (("durable blocks", "rate", RATE), ours?);
        for (name, rate, least) in [
            ("bare file, fdatasync", segment?, STORE),
            ("RocksDB, WAL sync", rocksdb?, STORE_ROCKSDB),
        ] {
            let peer = Some((name, rate));
            self.report.push_rate(case, ours, peer, Some(least));
        }
        Ok(())
    }

    async fn transfer(&mut self, file: &str, iroh: Option<&Path>) -> Result<()> {
        let bytes = self.options.bytes;
        let raw = self
            .serve("raw", &["raw-serve", &bytes.to_string()])
            .await?;
        let blobs = match iroh {
            Some(program) => Some(self.peers(program, file).await?),
            None => None,
        };
        let rate = |seconds: f64| bytes as f64 / seconds / MB;
        let mut all = Rates::default();
        let (mut client_mib, mut node_mib) = (Vec::new(), Vec::new());
        for run in 0..self.options.runs {
            let (dir, plain) = (self.path("disk"), self.path("copy"));
            let found = self.hand(&["disk", &dir, &bytes.to_string()])?;
            all.disk.push(rate(number(&found, "seconds")?));
            fs::remove_file(&dir).with_context(|| format!("removing {dir}"))?;
            let dir = self.path(&format!("node{run}"));
            let node = self
                .serve("node", &["serve", &dir, &bytes.to_string()])
                .await?;
            let address = after_ready(&node)?;
            let put = self.hand(&["put", &address, file])?;
            ensure!(
                number(&put, "sent_again")? == 0.0,
                "a content that was there was sent again"
            );
            all.put.push(rate(number(&put, "seconds")?));
            let place = [
                &address,
                text_of(&put, "root")?,
                &bytes.to_string(),
                text_of(&put, "key")?,
            ]
            .map(str::to_owned);
            let place: Vec<&str> = place.iter().map(String::as_str).collect();
            let got = self.hand(&[&["get"], &*place].concat())?;
            all.get.push(rate(number(&got, "seconds")?));
            let to_file = self.hand(&[&["get"], &*place, &["--out", &plain]].concat())?;
            all.get_file.push(rate(number(&to_file, "seconds")?));
            fs::remove_file(&plain).with_context(|| format!("removing {plain}"))?;
            client_mib.push(number(&put, "peak_kib")?.max(number(&to_file, "peak_kib")?) / 1024.0);
            node_mib.push(peak_mib(node.pid())?);
            drop(node);
            fs::remove_dir_all(&dir).with_context(|| format!("removing {dir}"))?;
            let line = after_ready(&raw)?;
            let (address, certificate) = line.split_once(' ').context("address, certificate")?;
            let found = self.hand(&["raw-get", address, certificate])?;
            all.raw.push(rate(number(&found, "seconds")?));
            if let Some(peers) = &blobs {
                all.memory
                    .push(rate(self.blobs_get(peers, &peers.memory, "memory")?));
                let folder = self.path(&format!("blobs{run}"));
                all.files
                    .push(rate(self.blobs_get(peers, &peers.files, &folder)?));
                fs::remove_dir_all(&folder).with_context(|| format!("removing {folder}"))?;
            }
        }
        self.tell(all, client_mib, node_mib)
    }

    fn tell(&mut self, all: Rates, client_mib: Vec<f64>, node_mib: Vec<f64>) -> Result<()> {
        let (put, get, get_file) = (middle(all.put)?, middle(all.get)?, middle(all.get_file)?);
        let disk = middle(all.disk)?;
        let report = &mut self.report;
        report.push_rate(
            ("put", "rate", RATE),
            put,
            Some(("raw disk, fsync", disk)),
            Some(PUT),
        );
        let get_case = ("get, verified, decrypted", "rate", RATE);
        if !all.memory.is_empty() {
            let (memory, files) = (middle(all.memory)?, middle(all.files)?);
            let name = format!("{}, memory", iroh::NAME);
            report.push_rate(get_case, get, Some((&name, memory)), Some(GET));
            let name = format!("{}, files", iroh::NAME);
            let case = ("get into a synced file", "rate", RATE);
            report.push_rate(case, get_file, Some((&name, files)), Some(GET));
        } else {
            let case = ("get into a synced file", "rate", RATE);
            report.push_rate(case, get_file, Some(("raw disk, fsync", disk)), None);
        }
        let raw = Some(("raw quinn stream", middle(all.raw)?));
        report.push_rate(get_case, get, raw, None);
        let (client, node) = (middle(client_mib)?, middle(node_mib)?);
        report.push_rate(("client", "peak memory", "MiB"), client, None, None);
        report.push_rate(("node", "peak memory", "MiB"), node, None, None);
        report.summary.push(memory_verdict("put and get", client));
        Ok(())
    }

    async fn seek(&mut self) -> Result<()> {
        let (file, dir) = (self.path("hole"), self.path("seek"));
        let bytes = self.options.seek_bytes.to_string();
        self.hand(&["make", &file, &bytes, "--hole"])?;
        let node = self.serve("seek", &["serve", &dir, &bytes]).await?;
        let address = after_ready(&node)?;
        let put = self.hand(&["put", &address, &file])?;
        let (root, key) = (text_of(&put, "root")?, text_of(&put, "key")?);
        let found = self.hand(&["seek", &address, root, &bytes, key, SEEKS])?;
        let node_mib = peak_mib(node.pid())?;
        drop(node);
        fs::remove_dir_all(&dir).with_context(|| format!("removing {dir}"))?;
        let (median, p99) = (
            number(&found, "median_s")? * 1e3,
            number(&found, "p99_s")? * 1e3,
        );
        let report = &mut self.report;
        report.push_rate(("first byte of a seek", "median", "ms"), median, None, None);
        report.push_rate(("first byte of a seek", "p99", "ms"), p99, None, None);
        // The largest content of the run: whoever keeps all of it in memory shows here.
        let client_mib = number(&put, "peak_kib")?.max(number(&found, "peak_kib")?) / 1024.0;
        for (who, mib) in [("client", client_mib), ("node", node_mib)] {
            let case = format!("{who}, content to seek in");
            report.push_rate((&case, "peak memory", "MiB"), mib, None, None);
        }
        report
            .summary
            .push(memory_verdict("content to seek in", client_mib));
        report.summary.push(Verdict {
            text: format!("first byte of a seek {median:.1} ms, at most {SEEK_MS:.0}"),
            met: median <= SEEK_MS,
        });
        Ok(())
    }

    async fn small(&mut self) -> Result<()> {
        let dir = self.path("small");
        let node = self.serve("small", &["serve", &dir, "1024"]).await?;
        let address = after_ready(&node)?;
        let found = self.hand(&["small", &address, &self.options.small.to_string()])?;
        let memory = peak_mib(node.pid())?;
        drop(node);
        fs::remove_dir_all(&dir).with_context(|| format!("removing {dir}"))?;
        let rates: Vec<f64> = found["rates"]
            .as_array()
            .context("no rates")?
            .iter()
            .filter_map(Value::as_f64)
            .collect();
        let (Some(first), Some(last)) = (rates.first(), rates.last()) else {
            bail!("no rates of small contents");
        };
        let case = ("contents of 1 KiB, last tenth", "rate", "puts/s");
        let peer = Some(("the first tenth", *first));
        self.report.push_rate(case, *last, peer, Some(SMALL));
        let case = ("node, contents of 1 KiB", "peak memory", "MiB");
        self.report.push_rate(case, memory, None, None);
        Ok(())
    }

    /// Runs one measurement and gives what it printed last.
    fn hand(&self, args: &[&str]) -> Result<Value> {
        let output = Command::new(&self.hands)
            .args(args)
            .output()
            .with_context(|| format!("starting {}", self.hands.display()))?;
        let said = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            let why = String::from_utf8_lossy(&output.stderr);
            bail!("{} failed: {}", args.join(" "), why.trim());
        }
        let last = said.lines().last().context("a measurement says nothing")?;
        serde_json::from_str(last).with_context(|| format!("{} said {last}", args.join(" ")))
    }

    async fn serve(&self, name: &str, args: &[&str]) -> Result<Service> {
        let mut command = Command::new(&self.hands);
        Service::start(name, command.args(args), &self.dir.join("logs"), "ready ").await
    }

    /// iroh-blobs twice: the blob in memory, and in files.
    async fn peers(&self, program: &Path, file: &str) -> Result<Peers> {
        let logs = self.dir.join("logs");
        let mut memory = Command::new(program);
        memory.args(["serve", file, "memory"]);
        let mut files = Command::new(program);
        files.args(["serve", file, &self.path("blobs")]);
        Ok(Peers {
            program: program.to_owned(),
            memory: Service::start("blobs-memory", &mut memory, &logs, "ready ").await?,
            files: Service::start("blobs-files", &mut files, &logs, "ready ").await?,
        })
    }

    /// Seconds of one get by iroh-blobs.
    fn blobs_get(&self, peers: &Peers, server: &Service, to: &str) -> Result<f64> {
        let line = after_ready(server)?;
        let output = Command::new(&peers.program)
            .arg("get")
            .args(line.split(' '))
            .arg(to)
            .output()
            .context("starting iroh-blobs")?;
        let said = String::from_utf8_lossy(&output.stdout);
        let seconds = said.split_whitespace().next().and_then(|s| s.parse().ok());
        seconds.with_context(|| {
            let why = String::from_utf8_lossy(&output.stderr);
            format!("iroh-blobs gave nothing: {}", why.trim())
        })
    }

    fn path(&self, name: &str) -> String {
        self.dir.join(name).to_string_lossy().into_owned()
    }
}

/// MB/s of each run.
#[derive(Default)]
struct Rates {
    disk: Vec<f64>,
    put: Vec<f64>,
    get: Vec<f64>,
    get_file: Vec<f64>,
    raw: Vec<f64>,
    memory: Vec<f64>,
    files: Vec<f64>,
}

struct Peers {
    program: PathBuf,
    memory: Service,
    files: Service,
}

fn memory_verdict(of: &str, mib: f64) -> Verdict {
    Verdict {
        text: format!("client's memory, {of}: {mib:.0} MiB, at most {CLIENT_MIB:.0}"),
        met: mib <= CLIENT_MIB,
    }
}

fn after_ready(service: &Service) -> Result<String> {
    let line = service.ready_line().strip_prefix("ready ");
    Ok(line.context("a server says where it is")?.to_owned())
}

fn number(found: &Value, name: &str) -> Result<f64> {
    found[name]
        .as_f64()
        .with_context(|| format!("no {name} in {found}"))
}

fn text_of<'a>(found: &'a Value, name: &str) -> Result<&'a str> {
    found[name]
        .as_str()
        .with_context(|| format!("no {name} in {found}"))
}

fn middle(values: Vec<f64>) -> Result<f64> {
    median(values.into_iter()).context("nothing was measured")
}

/// The most memory that a running process has had.
fn peak_mib(pid: u32) -> Result<f64> {
    // What it did last is counted a moment later.
    std::thread::sleep(Duration::from_millis(50));
    let path = format!("/proc/{pid}/status");
    let status = fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib: f64 = line
        .context("no VmHWM")?
        .trim()
        .trim_end_matches(" kB")
        .parse()?;
    Ok(kib / 1024.0)
}
