//! The test vectors are current, and two programs that share no code with us agree with them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use phantasma_tests::vectors::{KINDS, made};
use serde_json::Value;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors")
}

fn text_of(value: &Value) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap();
    text.push('\n');
    text
}

#[test]
fn the_vectors_are_current() {
    for kind in KINDS {
        let path = folder().join(format!("{kind}.json"));
        let found = fs::read_to_string(&path).unwrap_or_default();
        let old = serde_json::from_str(&found).unwrap_or_default();
        let expected = text_of(&made(kind, &old));
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&path, &expected).unwrap();
        } else {
            assert!(
                found == expected,
                "{} is not current; run UPDATE=1 cargo nextest run -p phantasma-tests the_vectors_are_current",
                path.display()
            );
        }
    }
}

/// One of the two programs: how it is started, and what it needs, which `tests/vectors/install` puts below the target
/// folder.
struct Checker {
    command: PathBuf,
    script: PathBuf,
    /// Node looks for packages above a script, so its copy lies there.
    _copy: tempfile::TempDir,
}

impl Checker {
    fn new(language: &str, program: &str, script: &str) -> Self {
        let test = std::env::current_exe().unwrap();
        let target = test.ancestors().nth(3).unwrap();
        let installed = target.join("vectors").join(language);
        assert!(
            installed.join("installed").is_file(),
            "the packages of the {language} check are not in {}; run tests/vectors/install",
            installed.display()
        );
        let copy = tempfile::tempdir_in(&installed).unwrap();
        for entry in fs::read_dir(folder().join(format!("check-{language}"))).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|e| e == "mjs" || e == "py") {
                fs::copy(&path, copy.path().join(path.file_name().unwrap())).unwrap();
            }
        }
        let local = installed.join(program);
        Self {
            command: if local.is_file() {
                local
            } else {
                program.into()
            },
            script: copy.path().join(script),
            _copy: copy,
        }
    }

    fn both() -> [Self; 2] {
        [
            Self::new("js", "node", "check.mjs"),
            Self::new("py", "venv/bin/python", "check.py"),
        ]
    }

    /// Whether it ended with 0, and its lines.
    fn run(&self, files: &[PathBuf]) -> (bool, Vec<String>) {
        let mut command = Command::new(&self.command);
        let output = command
            .arg(&self.script)
            .args(files)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .output()
            .unwrap_or_else(|e| panic!("starting {}: {e}", self.command.display()));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        assert_eq!(
            lines.len(),
            files.len(),
            "{}: {text}{}",
            self.script.display(),
            String::from_utf8_lossy(&output.stderr)
        );
        (output.status.success(), lines)
    }
}

#[test]
fn programs_that_share_no_code_with_us_agree_with_the_vectors() {
    let files = KINDS.map(|kind| folder().join(format!("{kind}.json")));
    for checker in Checker::both() {
        let (success, lines) = checker.run(&files);
        let failed: Vec<_> = lines
            .iter()
            .filter(|line| !line.starts_with("ok "))
            .collect();
        assert!(success && failed.is_empty(), "{failed:#?}");
    }
}

/// Files of one kind that are tried with a change each, spread over all that can be changed.
const CHANGED: usize = 150;

#[test]
fn a_changed_byte_anywhere_fails_in_both_programs() {
    let changed = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for kind in KINDS {
        let text = fs::read_to_string(folder().join(format!("{kind}.json"))).unwrap();
        let vectors: Value = serde_json::from_str(&text).unwrap();
        let mut places = Vec::new();
        places_of(&vectors, "", &mut places);
        let stride = places.len().div_ceil(CHANGED);
        for (at, place) in places.iter().step_by(stride).enumerate() {
            let mut vectors = vectors.clone();
            change(vectors.pointer_mut(place).unwrap());
            let name = format!("{kind}-{at}{}.json", place.replace('/', "."));
            files.push(changed.path().join(name));
            fs::write(files.last().unwrap(), vectors.to_string()).unwrap();
        }
    }
    assert!(files.len() > 500, "{}", files.len());
    for checker in Checker::both() {
        let (success, lines) = checker.run(&files);
        let passed: Vec<_> = lines
            .iter()
            .filter(|line| !line.starts_with("FAIL "))
            .collect();
        assert!(!success && passed.is_empty(), "{passed:#?}");
    }
}

/// Where something stands that both programs must look at: hex digits, numbers, yes or no.
fn places_of(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            // What an instruction leaves that ends the script is of no effect.
            let last = fields.get("flow").is_some_and(|flow| flow == "end");
            // Other bytes may well be refused for the same reason; the verdict is what counts there.
            let refused = fields.get("valid").is_some_and(|valid| valid == false);
            for (name, field) in fields {
                let idle = (last && name == "pushes") || (refused && name == "bytes");
                let free = matches!(name.as_str(), "kind" | "name" | "text" | "why");
                if !free && !idle {
                    places_of(field, &format!("{at}/{name}"), found);
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                places_of(item, &format!("{at}/{index}"), found);
            }
        }
        Value::String(text) if hex::decode(text).is_ok_and(|bytes| !bytes.is_empty()) => {
            found.push(at.to_owned());
        }
        Value::Bool(_) | Value::Number(_) => found.push(at.to_owned()),
        Value::String(_) | Value::Null => {}
    }
}

/// Changes one bit of the byte in the middle, or the number by one.
fn change(value: &mut Value) {
    *value = match value {
        Value::String(text) => {
            let mut bytes = hex::decode(text.as_bytes()).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            hex::encode(bytes).into()
        }
        Value::Number(number) => (number.as_u64().unwrap() + 1).into(),
        Value::Bool(yes) => (!*yes).into(),
        other => panic!("{other} cannot be changed"),
    };
}
