//! Contents at other services: an S3 server, an IPFS node with its HTTP API and gateway, a folder.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::TryStreamExt;
use phantasma_sdk::{
    backend::{
        self, Backend, BackendError, Credentials, Folder, Ipfs, IpfsConfig, Kept, Link, Objects,
        S3, S3Config, Sealed,
    },
    content::{self, ContentKey},
};
use phantasma_tests::{ProcessGuard, binary};
use serde_json::Value;

use crate::cli::{Cli, PASSWORD};

/// Starting node and an IPFS node in it takes some seconds; a busy machine more.
const PATIENCE: Duration = Duration::from_secs(180);

/// The one key that the S3 server knows, and its secret.
const S3_KEY: &str = "S3RVER";

/// A program of `tests/backends`, running.
struct Running {
    _guard: ProcessGuard,
    /// What it said when it was ready.
    said: Value,
    /// Its data and its copy.
    dir: tempfile::TempDir,
}

impl Running {
    fn start(script: &str) -> Self {
        let test = std::env::current_exe().unwrap();
        // target/debug/deps/it-<hash> → target/backends
        let installed = test.ancestors().nth(3).unwrap().join("backends");
        assert!(
            installed.join("installed").is_file(),
            "the services are not in {}; run tests/backends/install",
            installed.display()
        );
        // Node looks for packages above a script, so its copy lies below them.
        let dir = tempfile::tempdir_in(&installed).unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("backends");
        fs::copy(source.join(script), dir.path().join(script)).unwrap();
        let (out, log) = (dir.path().join("out"), dir.path().join("log"));
        let mut command = Command::new("node");
        command
            .arg(dir.path().join(script))
            .env("FOLDER", dir.path().join("data"))
            .env("BUCKET", "films")
            .stdout(File::create(&out).unwrap())
            .stderr(File::create(&log).unwrap());
        let mut guard = ProcessGuard::spawn(&mut command);
        let started = Instant::now();
        loop {
            let said = fs::read_to_string(&out).unwrap();
            if let Some(said) = said
                .lines()
                .find_map(|line| serde_json::from_str(line).ok())
            {
                return Self {
                    _guard: guard,
                    said,
                    dir,
                };
            }
            let running = guard.exit_status().is_none() && started.elapsed() < PATIENCE;
            assert!(
                running,
                "{script}: {said}{}",
                fs::read_to_string(&log).unwrap()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn address(&self, name: &str) -> String {
        self.said[name]
            .as_str()
            .unwrap()
            .trim_end_matches('/')
            .to_owned()
    }

    fn s3(&self, key: Option<&str>) -> Arc<dyn Backend> {
        let credentials = key.map(|key| Credentials {
            access_key_id: key.to_owned(),
            secret_access_key: S3_KEY.to_owned().into(),
            session_token: None,
        });
        let config = S3Config {
            endpoint: Some(self.address("s3")),
            region: "us-east-1".into(),
            credentials,
            target: "films/a folder".into(),
        };
        Arc::new(Objects::new(S3::new(config).unwrap()))
    }

    fn ipfs(&self, gateway: bool) -> Arc<dyn Backend> {
        let config = IpfsConfig {
            api: Some(self.address("api")),
            gateway: gateway.then(|| self.address("gateway")),
        };
        Arc::new(Objects::new(Ipfs::new(config).unwrap()))
    }
}

/// A file, its key, and what is to be kept of it.
struct Sample {
    plain: Vec<u8>,
    sealed: Sealed,
    dir: tempfile::TempDir,
}

impl Sample {
    async fn new(len: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("plain");
        let plain: Vec<u8> = (0..len as u64)
            .map(|n| (n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 51) as u8)
            .collect();
        fs::write(&path, &plain).unwrap();
        let key = ContentKey::random();
        let prepared = content::prepare(&path, &key).await.unwrap();
        let sealed = Sealed {
            path,
            key,
            prepared,
        };
        Self { plain, sealed, dir }
    }

    fn copy(&self) -> PathBuf {
        self.dir.path().join("copy")
    }

    /// Reads it back whole and in part.
    async fn is_at(&self, backend: &Arc<dyn Backend>, kept: &Kept) {
        let (key, len) = (&self.sealed.key, self.plain.len());
        backend::download(backend, kept, key, &self.copy(), &|_| ())
            .await
            .unwrap();
        assert!(
            fs::read(self.copy()).unwrap() == self.plain,
            "byte for byte"
        );
        fs::remove_file(self.copy()).unwrap();
        for range in [0..1, len / 2..len / 2 + 300_000, len - 7..len, 5..5] {
            let range = range.start.min(len)..range.end.min(len);
            let wanted = range.start as u64..range.end as u64;
            let pieces = backend::read_stream(backend, kept, key, wanted).unwrap();
            let pieces: Vec<_> = pieces.try_collect().await.unwrap();
            assert!(pieces.concat() == self.plain[range.clone()], "{range:?}");
        }
    }

    /// It is not given, and nothing half-written stays.
    async fn is_not_at(&self, backend: &Arc<dyn Backend>, kept: &Kept) -> BackendError {
        let copy = self.copy();
        let outcome = backend::download(backend, kept, &self.sealed.key, &copy, &|_| ());
        let error = outcome.await.unwrap_err();
        assert_eq!(fs::read_dir(self.dir.path()).unwrap().count(), 1);
        error
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn contents_are_kept_at_an_s3_service_in_one_request_or_in_parts() {
    let service = tokio::task::block_in_place(|| Running::start("s3.mjs"));
    let backend = service.s3(Some(S3_KEY));
    // One request; several parts; a block to the byte.
    for len in [100_000, 20_000_000, 262_144] {
        let sample = Sample::new(len).await;
        let kept = backend.put(&sample.sealed).await.unwrap();
        let root = hex::encode(sample.sealed.prepared.root());
        assert_eq!(kept.place, format!("films/a folder/{root}"));
        sample.is_at(&backend, &kept).await;
        // With another reader, who knows nothing yet.
        sample.is_at(&service.s3(Some(S3_KEY)), &kept).await;

        let missing = Kept {
            place: format!("{}0", kept.place),
            ..kept.clone()
        };
        let error = sample.is_not_at(&backend, &missing).await;
        assert!(
            matches!(error, BackendError::Refused { status: 404, .. }),
            "{error}"
        );
        let another = Kept {
            root: [7; 32],
            ..kept
        };
        let error = sample.is_not_at(&backend, &another).await;
        assert!(matches!(error, BackendError::Foreign { .. }), "{error}");
    }

    let sample = Sample::new(700_000).await;
    let error = service.s3(Some("another")).put(&sample.sealed).await;
    let error = error.unwrap_err();
    let refused = matches!(error, BackendError::Refused { status: 403, .. });
    assert!(refused && !error.to_string().contains(S3_KEY), "{error}");

    // A service that gives another byte is found out, by a reader who has the ids and by one who has not.
    let kept = backend.put(&sample.sealed).await.unwrap();
    sample.is_at(&backend, &kept).await;
    // This service lets everybody read who shows no key.
    sample.is_at(&service.s3(None), &kept).await;
    let file = find(&service.dir.path().join("data"), &hex::encode(kept.root));
    let mut object = fs::read(&file).unwrap();
    for at in [300_000, 700_000] {
        object[at] ^= 1;
        fs::write(&file, &object).unwrap();
        let error = sample.is_not_at(&service.s3(Some(S3_KEY)), &kept).await;
        assert!(matches!(error, BackendError::Foreign { .. }), "{error}");
        object[at] ^= 1;
    }
    object[300_000] ^= 1;
    fs::write(&file, &object).unwrap();
    let error = sample.is_not_at(&backend, &kept).await.to_string();
    assert!(error.contains("block 1 is another one"), "{error}");
    fs::write(&file, &object[..600_000]).unwrap();
    let error = sample.is_not_at(&backend, &kept).await;
    assert!(matches!(error, BackendError::Foreign { .. }), "{error}");
}

/// The largest file below a folder whose path has this in it.
fn find(dir: &Path, part: &str) -> PathBuf {
    let (mut folders, mut found) = (vec![dir.to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            match entry.file_type().unwrap().is_dir() {
                true => folders.push(entry.path()),
                false => found.push((entry.metadata().unwrap().len(), entry.path())),
            }
        }
    }
    found.retain(|(_, path)| path.to_string_lossy().contains(part));
    found.into_iter().max().expect("the object's file").1
}

#[tokio::test(flavor = "multi_thread")]
async fn contents_are_kept_on_ipfs_and_read_from_a_node_and_a_gateway() {
    let service = tokio::task::block_in_place(|| Running::start("ipfs.mjs"));
    let (node, gateway) = (service.ipfs(false), service.ipfs(true));
    let sample = Sample::new(3_000_000).await;
    let kept = node.put(&sample.sealed).await.unwrap();
    sample.is_at(&node, &kept).await;
    sample.is_at(&gateway, &kept).await;
    // The same bytes have the same CID.
    assert_eq!(node.put(&sample.sealed).await.unwrap(), kept);

    // Ciphertext that somebody else has added, with nothing of ours behind it.
    let mut cipher = sample.plain.clone();
    content::apply_cipher(&sample.sealed.key, 0, &mut cipher);
    let file = sample.copy();
    fs::write(&file, &cipher).unwrap();
    let output = Command::new("curl")
        .args(["--silent", "--show-error", "--fail", "--form"])
        .arg(format!("file=@{}", file.display()))
        .arg(format!("{}/api/v0/add", service.address("api")))
        .output()
        .unwrap();
    fs::remove_file(&file).unwrap();
    let added: Value = serde_json::from_slice(&output.stdout).unwrap();
    let bare = Kept {
        place: added["Hash"].as_str().unwrap().to_owned(),
        ..kept.clone()
    };
    assert_ne!(bare.place, kept.place);
    for backend in [service.ipfs(false), service.ipfs(true)] {
        sample.is_at(&backend, &bare).await;
        let wrong = Kept {
            root: [7; 32],
            ..bare.clone()
        };
        let error = sample.is_not_at(&backend, &wrong).await;
        assert!(matches!(error, BackendError::Foreign { .. }), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn contents_are_kept_in_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("a").join("b");
    let backend: Arc<dyn Backend> = Arc::new(Objects::new(Folder::new(dir.clone())));
    let sample = Sample::new(1_500_000).await;
    let kept = backend.put(&sample.sealed).await.unwrap();
    sample.is_at(&backend, &kept).await;
    assert_eq!(
        fs::read_dir(&dir).unwrap().count(),
        1,
        "nothing half-written"
    );
    for place in ["relative", "/dev/zero", "/nowhere/at/all"] {
        let elsewhere = Kept {
            place: place.into(),
            ..kept.clone()
        };
        sample.is_not_at(&backend, &elsewhere).await;
    }
    // A file that changed after it was hashed is not kept, and leaves nothing.
    fs::write(&sample.sealed.path, vec![1; 1_500_000]).unwrap();
    fs::remove_file(&kept.place).unwrap();
    let error = backend.put(&sample.sealed).await.unwrap_err();
    assert!(error.to_string().contains("changed"), "{error}");
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 0);
}

/// What the command prints, as data.
fn phantasma(cli: &Cli, environment: &[(&str, String)], arguments: &[&str]) -> Value {
    let output = Command::new(binary("phantasma"))
        .args(arguments)
        .args(["--json", "--dir"])
        .arg(cli.path("phantasma"))
        .env("PHANTASMA_PASSWORD", PASSWORD)
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_keeps_contents_elsewhere_and_reads_what_a_script_links_to() {
    let service = tokio::task::block_in_place(|| Running::start("s3.mjs"));
    // No chain is asked.
    let cli = Cli::new("http://127.0.0.1:1");
    cli.new_wallet();
    let plain: Vec<u8> = (0..600_000_u64).map(|n| ((n * n) >> 7) as u8).collect();
    let file = cli.path("film");
    fs::write(&file, &plain).unwrap();
    let file = file.to_str().unwrap();
    let environment = [
        ("AWS_ENDPOINT_URL", service.address("s3")),
        ("AWS_ACCESS_KEY_ID", S3_KEY.to_owned()),
        ("AWS_SECRET_ACCESS_KEY", S3_KEY.to_owned()),
    ];
    let folder = format!("file:{}", cli.path("archive").display());
    for (n, target) in ["s3://films/x", &folder].into_iter().enumerate() {
        let put = phantasma(
            &cli,
            &environment,
            &["content", "put", file, "--to", target],
        );
        let link: Link = put["link"].as_str().unwrap().parse().unwrap();
        assert_eq!(link.kept.size, plain.len() as u64);
        // What a box's script pushes names the content too.
        let script = phantasma_vm::assemble(put["instruction"].as_str().unwrap()).unwrap();
        let step = phantasma_vm::steps(&script).next().unwrap().unwrap();
        let pushed = step.operand;
        assert_eq!(Link::from_bytes(pushed), Ok(link.clone()));
        let pushed = format!("0x{}", hex::encode(pushed));
        for (m, name) in [link.to_string(), pushed].iter().enumerate() {
            let out = cli.path(&format!("copy{n}{m}"));
            let out_text = out.to_str().unwrap();
            phantasma(
                &cli,
                &environment,
                &["content", "get", name, "--out", out_text],
            );
            assert!(fs::read(&out).unwrap() == plain, "byte for byte");
        }
    }
    // Half of the credentials is a mistake, and the half is not shown.
    let output = Command::new(binary("phantasma"))
        .args(["content", "put", file, "--to", "s3://films/x", "--dir"])
        .arg(cli.path("phantasma"))
        .env("PHANTASMA_PASSWORD", PASSWORD)
        .env_remove("AWS_ACCESS_KEY_ID")
        .env("AWS_SECRET_ACCESS_KEY", "a secret")
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("belong together") && !said.contains("a secret"),
        "{said}"
    );
}
