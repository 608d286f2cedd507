//! `phantasma doctor` on a set-up with all its parts, whole and really broken in each of ten ways.

use std::collections::BTreeMap;
use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{SystemTime, UNIX_EPOCH};

use phantasma::doctor::{CHECKS, NODE};
use phantasma::service::Service;
use phantasma_tests::{TestNet, binary};
use serde_json::Value;

use crate::cli::{Cli, PASSWORD};

/// A net with the contracts, a wallet with GAS and SOUL, a relay that keeps messages, a storage node that keeps a file.
struct Whole {
    net: TestNet,
    cli: Cli,
    address: String,
    /// Relay and storage node, until they are stopped.
    servers: Vec<Service>,
}

/// One run of the doctor.
struct Run {
    code: Option<i32>,
    json: Value,
    all: String,
}

impl Whole {
    async fn build() -> Self {
        let net = TestNet::start().await;
        let cli = Cli::new(net.rpc_url());
        let address = cli.new_wallet();
        net.fund_gas(&address, 200_0000_0000).await.unwrap();
        let contract = cli.json(&["contract", "deploy"])["contract"]
            .as_str()
            .unwrap()
            .to_owned();
        let relay = serve(
            &cli,
            "phantasma-relay",
            &contract,
            net.rpc_url(),
            &[("--ops", "127.0.0.1:0"), ("--data", "relay-data")],
            "phantasma-relay listening",
        )
        .await;
        let node = serve(
            &cli,
            "phantasma-pdfs",
            &contract,
            net.rpc_url(),
            &[
                ("--control", "127.0.0.1:0"),
                ("--http", "127.0.0.1:0"),
                ("--data", "pdfs-data"),
            ],
            "ready ",
        )
        .await;
        let words: Vec<&str> = relay.ready_line().split(' ').collect();
        let after = |word| words[words.iter().position(|w| *w == word).unwrap() + 1];
        let known = format!(
            "relay = \"{}@{}\"\nnodes = [\"{}\"]\n",
            after("key"),
            after("on"),
            node.ready_line()
                .split(' ')
                .find_map(|field| field.strip_prefix("data="))
                .unwrap()
        );
        let profile = cli.path("phantasma/phantasma.toml");
        let text = fs::read_to_string(&profile).unwrap();
        fs::write(&profile, text + &known).unwrap();
        cli.json(&["box", "create", "letters", "--gate", "free"]);
        for n in 0..20 {
            let text = format!("message {n}, long enough to be found on the disk");
            let send = ["message", "send", "letters", "--keep", "relay", "--text"];
            cli.json(&[&send[..], &[&text]].concat());
        }
        let file: Vec<u8> = (0..700_000_u32).map(|i| (i % 251) as u8).collect();
        fs::write(cli.path("file.bin"), file).unwrap();
        cli.json(&["content", "put", "file.bin", "--replicas", "1"]);
        Self {
            net,
            cli,
            address,
            servers: vec![relay, node],
        }
    }

    fn doctor(&self) -> Run {
        self.doctor_with(Some(PASSWORD), &[], &[])
    }

    fn doctor_with(&self, password: Option<&str>, env: &[(&str, &str)], args: &[&str]) -> Run {
        let mut command = self.command(&binary("phantasma"), password, env);
        command.arg("doctor").args(args);
        Run::of(&command.output().unwrap())
    }

    /// A program in the set-up's folder, told of it by the environment alone.
    fn command(&self, program: &Path, password: Option<&str>, env: &[(&str, &str)]) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            if name.starts_with("PHANTASMA_") && !name.starts_with("PHANTASMA_NEOGO") {
                command.env_remove(name);
            }
        }
        command
            .current_dir(self.cli.path("."))
            .env("PHANTASMA_DIR", self.cli.path("phantasma"))
            .env("PHANTASMA_RPC", self.net.rpc_url())
            .envs([
                ("PHANTASMA_RELAY_LISTEN", "127.0.0.1:0"),
                ("PHANTASMA_RELAY_OPS", "127.0.0.1:0"),
                ("PHANTASMA_PDFS_LISTEN", "127.0.0.1:0"),
                ("PHANTASMA_PDFS_CONTROL", "127.0.0.1:0"),
                ("PHANTASMA_PDFS_HTTP", "127.0.0.1:0"),
            ])
            .envs(env.iter().copied());
        if let Some(password) = password {
            command.env("PHANTASMA_PASSWORD", password);
        }
        command
    }
}

async fn serve(
    cli: &Cli,
    program: &str,
    contract: &str,
    rpc: &str,
    more: &[(&str, &str)],
    ready: &str,
) -> Service {
    let mut command = Command::new(binary(program));
    command
        .current_dir(cli.path("."))
        .env("PHANTASMA_PASSWORD", PASSWORD)
        .args(["--listen", "127.0.0.1:0", "--rpc", rpc])
        .args(["--contract", contract, "--wallet"])
        .arg(cli.path("phantasma/wallet.json"));
    for (name, value) in more {
        command.args([name, value]);
    }
    Service::start(program, &mut command, &cli.path("logs"), ready)
        .await
        .unwrap_or_else(|e| panic!("{e:#}"))
}

impl Run {
    /// Reads the answer for people, or with --json the one for programs.
    fn of(output: &Output) -> Self {
        let (out, err) = (
            String::from_utf8_lossy(&output.stdout).into_owned(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        );
        assert!(!err.contains("panicked"), "{err}");
        let all = out.clone() + &err;
        assert!(!all.contains(PASSWORD), "a secret is in the output: {all}");
        Self {
            code: output.status.code(),
            json: serde_json::from_str(&out).unwrap_or_default(),
            all,
        }
    }

    /// The text names cause, place and advice, and the exit code says that something is wrong.
    fn names(&self, parts: &[&str]) {
        assert_eq!(self.code, Some(1), "{}", self.all);
        for part in parts {
            assert!(self.all.contains(part), "{part:?} is not in: {}", self.all);
        }
    }

    /// How many parts are wrong.
    fn wrong(&self) -> usize {
        self.all.lines().filter(|l| l.starts_with("WRONG")).count()
    }
}

/// All files below a folder with what they hold, save locks and what running programs write.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => open.push(path),
                false => {
                    found.insert(path.clone(), fs::read(&path).unwrap());
                }
            }
        }
    }
    found
}

/// Inverts the byte in the middle of a file.
fn damage(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xFF;
    fs::write(path, bytes).unwrap();
}

/// The only file of a folder with this extension.
fn only(folder: &Path, extension: &str) -> PathBuf {
    let entries = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
    let mut found = entries.filter(|path| path.extension().is_some_and(|e| e == extension));
    let path = found.next().unwrap();
    assert_eq!(found.next(), None, "{}", folder.display());
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_broken_set_ups_are_named_and_a_whole_one_is_fine() {
    let mut whole = Whole::build().await;
    a_whole_set_up_is_fine(&whole);
    a_taken_port(&whole);
    no_neo_go(&whole);
    the_wrong_network(&whole);
    a_locked_wallet(&whole);
    a_full_disk(&whole);
    no_gas_and_no_soul(&whole).await;
    // What follows stays as it is.
    whole.servers.clear();
    unreachable_servers(&whole);
    corrupted_databases(&whole);
    a_clock_that_is_off(&whole).await;
}

fn a_whole_set_up_is_fine(whole: &Whole) {
    let run = whole.doctor_with(Some(PASSWORD), &[], &["--json"]);
    assert_eq!(run.code, Some(0), "{}", run.all);
    assert_eq!(run.json["fine"], true);
    let checks = run.json["checks"].as_array().unwrap();
    assert_eq!(checks.len(), CHECKS.len());
    for check in checks {
        assert_eq!(check["state"], "fine", "{check}");
    }
    assert_eq!(whole.doctor().wrong(), 0);
}

fn a_taken_port(whole: &Whole) {
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let me = format!("process {}", std::process::id());
    let (tcp, udp) = (
        (tcp.local_addr().unwrap(), tcp),
        (udp.local_addr().unwrap(), udp),
    );
    for (variable, address, setting) in [
        (
            "PHANTASMA_RELAY_LISTEN",
            udp.0,
            "`listen` of phantasma-relay",
        ),
        ("PHANTASMA_RELAY_OPS", tcp.0, "`ops` of phantasma-relay"),
        ("PHANTASMA_PDFS_HTTP", tcp.0, "`http` of phantasma-pdfs"),
    ] {
        let address = address.to_string();
        let run = whole.doctor_with(Some(PASSWORD), &[(variable, &address)], &[]);
        run.names(&["port taken", &me, &address, setting, "stop that program"]);
        assert_eq!(run.wrong(), 1, "{}", run.all);
    }
    // The private net's, as `net up` would find it.
    let folder = whole.cli.path("phantasma/net");
    fs::create_dir(&folder).unwrap();
    let settings = format!("rpc_port = {}\nblock_time_ms = 1000\n", tcp.0.port());
    fs::write(folder.join("net.toml"), settings).unwrap();
    let run = whole.doctor();
    run.names(&["port taken", &me, &tcp.0.to_string(), "net up --rpc-port"]);
    assert_eq!(run.wrong(), 1, "{}", run.all);
    fs::remove_dir_all(folder).unwrap();
}

fn no_neo_go(whole: &Whole) {
    let run = whole.doctor_with(
        Some(PASSWORD),
        &[("PHANTASMA_NEOGO", "/nowhere/neogo")],
        &[],
    );
    run.names(&["no neo-go", "/nowhere/neogo", "phantasma net fetch"]);
    assert_eq!(run.wrong(), 1, "{}", run.all);
}

fn the_wrong_network(whole: &Whole) {
    let profile = whole.cli.path("phantasma/phantasma.toml");
    let text = fs::read_to_string(&profile).unwrap();
    let own = phantasma_tests::NETWORK_MAGIC.to_string();
    // `contract deploy` wrote the network down.
    assert!(text.contains(&format!("network = {own}")), "{text}");
    fs::write(&profile, text.replace(&own, "860833102")).unwrap();
    let run = whole.doctor();
    run.names(&[
        "wrong network magic",
        &own,
        "860833102",
        "phantasma.toml",
        "--rpc",
    ]);
    assert_eq!(run.wrong(), 1, "{}", run.all);
    fs::write(&profile, text).unwrap();
}

fn a_locked_wallet(whole: &Whole) {
    for (password, why) in [(Some("wrong horse"), "password"), (None, "nobody gave")] {
        let run = whole.doctor_with(password, &[], &[]);
        run.names(&["wallet locked", why, &whole.address, "PHANTASMA_PASSWORD"]);
        assert_eq!(run.wrong(), 1, "{}", run.all);
        assert!(!run.all.contains("wrong horse"), "{}", run.all);
    }
}

/// A file system of its own for the relay's data, with room and without, in a mount namespace that ends with the command.
fn a_full_disk(whole: &Whole) {
    let folder = whole.cli.path("small-disk");
    fs::create_dir(&folder).unwrap();
    let script = r#"mount -t tmpfs -o size=80m tmpfs "$0" && head -c "$1" /dev/zero > "$0/other" && shift && exec "$@""#;
    let run = |bytes: &str| {
        let mut command = whole.command(Path::new("unshare"), Some(PASSWORD), &[]);
        command.args(["-rm", "sh", "-c", script]);
        command.arg(&folder).arg(bytes).arg(binary("phantasma"));
        command.args(["doctor", "--relay-data"]).arg(&folder);
        Run::of(&command.output().unwrap())
    };
    let roomy = run("1000");
    assert_eq!(roomy.code, Some(0), "{}", roomy.all);
    let full = run("83886080");
    full.names(&[
        "disk full",
        "0 MiB are free",
        "small-disk",
        "free space there",
    ]);
    assert_eq!(full.wrong(), 1, "{}", full.all);
}

async fn no_gas_and_no_soul(whole: &Whole) {
    let wallet = whole.cli.path("poor.json");
    let wallet = wallet.to_str().unwrap();
    let made = whole.cli.json(&["wallet", "new", "--wallet", wallet]);
    let address = made["address"].as_str().unwrap();
    let run = whole.doctor_with(Some(PASSWORD), &[], &["--wallet", wallet]);
    let (fund, buy) = (
        format!("net fund {address}"),
        format!("transfer soul 10 {address}"),
    );
    run.names(&["no GAS", &fund, "no SOUL", &buy]);
    assert_eq!(run.wrong(), 2, "{}", run.all);
    whole.net.fund_gas(address, 10_0000_0000).await.unwrap();
    let run = whole.doctor_with(Some(PASSWORD), &[], &["--wallet", wallet]);
    run.names(&["no SOUL: the account has 0, a box costs 1", &buy]);
    assert_eq!(run.wrong(), 1, "{}", run.all);
}

fn unreachable_servers(whole: &Whole) {
    let profile = fs::read_to_string(whole.cli.path("phantasma/phantasma.toml")).unwrap();
    let relay = profile.split('"').find(|text| text.contains('@')).unwrap();
    let run = whole.doctor();
    run.names(&["relay unreachable", relay, "UDP port in the firewall"]);
    run.names(&["1 of 1 storage nodes unreachable"]);
    assert_eq!(run.wrong(), 2, "{}", run.all);
}

/// Each damage alone; the doctor leaves all files as they are.
fn corrupted_databases(whole: &Whole) {
    let (relay, node) = (whole.cli.path("relay-data"), whole.cli.path("pdfs-data"));
    let segment = only(&node.join("segments"), "seg");
    let manifest = fs::read_dir(node.join("index")).unwrap();
    let manifest = manifest
        .map(|entry| entry.unwrap().path())
        .find(|path| path.display().to_string().contains("MANIFEST"))
        .unwrap();
    let unreadable = relay.join("chain/broken.toml");
    fs::write(&unreadable, "messages = [\n").unwrap();
    for (path, parts) in [
        (
            only(&relay, "log"),
            ["relay-data", "restore the named file"],
        ),
        (segment, ["pdfs-data", "fsck"]),
        (manifest, ["pdfs-data", "fsck"]),
    ] {
        if path.extension().is_some_and(|kind| kind == "log") {
            whole.doctor().names(&["corrupted database", "broken.toml"]);
            fs::remove_file(&unreadable).unwrap();
        }
        let before = fs::read(&path).unwrap();
        damage(&path);
        let found = contents(&whole.cli.path("."));
        let run = whole.doctor();
        run.names(&["corrupted database", parts[0]]);
        assert!(
            run.all.contains(parts[1]) || run.all.contains("keep a copy"),
            "{}",
            run.all
        );
        // The two servers do not answer either.
        assert_eq!(run.wrong(), 3, "{}", run.all);
        assert!(
            contents(&whole.cli.path(".")) == found,
            "files were changed"
        );
        fs::write(&path, before).unwrap();
    }
    assert_eq!(whole.doctor().wrong(), 2);
}

async fn a_clock_that_is_off(whole: &Whole) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let later = u64::try_from(now.as_millis()).unwrap() + 3_600_000;
    whole.net.travel_to(later).await;
    let run = whole.doctor();
    run.names(&[
        "clock off",
        "min behind the chain's last block",
        "this machine's clock",
    ]);
    run.names(&["timedatectl set-ntp true", whole.net.rpc_url()]);
}

#[test]
fn the_storage_nodes_defaults_are_those_of_its_own_help() {
    let help = Command::new(binary("phantasma-pdfs"))
        .arg("--help")
        .output()
        .unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    for (setting, default) in NODE.defaults() {
        let shown = format!("[default: {default}]");
        let after = help.split(&format!("--{setting} ")).nth(1).unwrap();
        assert!(
            after.split("--").next().unwrap().contains(&shown),
            "{setting}: {shown}"
        );
    }
}
