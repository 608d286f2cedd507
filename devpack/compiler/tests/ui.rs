//! Golden files: what is refused and how it is said; what small programs become.
//!
//! `NEOC_BLESS=1 cargo nextest run -p neoc` writes them anew; read the difference before committing it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

fn cases(folder: &str) -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/ui")
        .join(folder);
    let mut found: Vec<PathBuf> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "rs"))
        .collect();
    found.sort();
    assert!(!found.is_empty());
    found
}

fn compile(name: &str, text: &str) -> Result<neoc::Contract, neoc::Errors> {
    let files = BTreeMap::from([(name.to_owned(), text.to_owned())]);
    neoc::compile(&files, name, &[])
}

fn golden(path: &Path, got: &str, failures: &mut Vec<String>) {
    if std::env::var_os("NEOC_BLESS").is_some() {
        return std::fs::write(path, got).unwrap();
    }
    let wanted = std::fs::read_to_string(path).unwrap_or_default();
    if wanted != got {
        failures.push(format!(
            "{}\n--- wanted\n{wanted}\n--- got\n{got}",
            path.display()
        ));
    }
}

#[test]
fn refused_programs_say_what_is_wrong_and_where() {
    let mut failures = Vec::new();
    for case in cases("fail") {
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&case).unwrap();
        let Err(errors) = compile(&name, &text) else {
            panic!("{name} compiles")
        };
        golden(
            &case.with_extension("stderr"),
            &errors.to_string(),
            &mut failures,
        );
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn small_programs_become_the_expected_instructions() {
    let mut failures = Vec::new();
    for case in cases("pass") {
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&case).unwrap();
        let contract = compile(&name, &text).unwrap_or_else(|e| panic!("{e}"));
        golden(
            &case.with_extension("listing"),
            &contract.listing,
            &mut failures,
        );
        let count = neo_opcode::decode(&contract.script)
            .collect::<Result<Vec<_>, _>>()
            .expect("the script decodes")
            .len();
        assert!(count > 0);
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn debug_information_points_into_the_source() {
    let text = std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ui/pass/transfer.rs"),
    )
    .unwrap();
    let contract = compile("transfer.rs", &text).unwrap();
    let debug: serde_json::Value = serde_json::from_str(&contract.debug).unwrap();
    assert_eq!(debug["documents"][0], "transfer.rs");
    let points = debug["methods"][0]["sequence-points"].as_array().unwrap();
    let line = text.lines().position(|l| l.contains("assert!")).unwrap() + 1;
    assert!(
        points
            .iter()
            .any(|p| p.as_str().unwrap().contains(&format!("[0]{line}:"))),
        "{points:?}"
    );
    assert_eq!(debug["methods"][0]["params"][0], "from,Hash160,0");
    assert_eq!(debug["events"][0]["name"], ",Transfer");
}

#[test]
fn modules_are_read_only_when_a_path_leads_there() {
    let root = r#"
        pub mod used;
        pub mod unused;
        #[contract(name = "Two")]
        pub mod methods {
            use neo_framework::prelude::*;
            use crate::used::{deep, five as number};
            #[method(safe)] pub fn run() -> Int { number() + deep::six() + other::seven() }
        }"#;
    let files = BTreeMap::from([
        ("src/lib.rs".to_owned(), root.to_owned()),
        (
            "src/used.rs".to_owned(),
            "pub mod deep; use neo_framework::Int; pub fn five() -> Int { neo_framework::int(5) }"
                .to_owned(),
        ),
        (
            "src/used/deep.rs".to_owned(),
            "use super::super::used::five; pub fn six() -> neo_framework::Int { five() + 1 }"
                .to_owned(),
        ),
        ("src/unused.rs".to_owned(), "this is no Rust".to_owned()),
        (
            "other/lib.rs".to_owned(),
            "pub fn seven() -> neo_framework::Int { neo_framework::int(7) }".to_owned(),
        ),
    ]);
    let contract = neoc::compile(
        &files,
        "src/lib.rs",
        &[("other".to_owned(), "other/lib.rs".to_owned())],
    );
    assert!(contract.is_ok(), "{}", contract.err().unwrap());
}

fn sources() -> Vec<String> {
    ["pass", "fail"]
        .iter()
        .flat_map(|f| cases(f))
        .map(|p| std::fs::read_to_string(p).unwrap())
        .collect()
}

/// Words that a program is made of, in no order.
const WORDS: [&str; 44] = [
    "fn", "let", "mut", "if", "else", "match", "while", "loop", "{", "}", "(", ")", "<", ">", "&",
    "=", "==", "=>", ";", ",", ".", "::", "Int", "Bytes", "Option", "Array", "int", "n", "x", "5",
    "b\"a\"", "\"t\"", "Some", "None", "|", "_", "?", "!", "+", "return", "break", "eval",
    "storage", "self",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn cut_and_garbled_sources_never_panic(which in 0usize..1000, cut in 0usize..4000, drop in 0usize..4000) {
        let all = sources();
        let text = &all[which % all.len()];
        let chars: Vec<char> = text.chars().collect();
        let cut_text: String = chars.iter().take(cut % (chars.len() + 1)).collect();
        let _ = compile("a.rs", &cut_text);
        let mut words: Vec<&str> = text.split_inclusive(' ').collect();
        words.remove(drop % words.len());
        let _ = compile("a.rs", &words.concat());
    }

    #[test]
    fn soup_of_words_in_a_body_never_panics(words in prop::collection::vec(prop::sample::select(WORDS.to_vec()), 0..40)) {
        let body = words.join(" ");
        let text = format!(
            "#[contract(name = \"S\")] pub mod methods {{ use neo_framework::prelude::*; #[method] pub fn run(n: Int) -> Int {{ {body} }} }}"
        );
        let _ = compile("a.rs", &text);
    }
}

/// What nests: the start of one level and its end.
const LEVELS: [(&str, &str); 20] = [
    ("(", ")"),
    ("!", ""),
    ("-", ""),
    ("&&", ""),
    ("{", "}"),
    ("if n > 0 {", "} else { n }"),
    ("if n > 0 { n } else ", ""),
    ("n + ", ""),
    ("n = ", ""),
    ("return ", ""),
    ("Some(", ")"),
    ("f(|a, b| ", ")"),
    ("|a, b| ", ""),
    ("array![", "]"),
    ("x as ", ""),
    ("match n { _ => ", "}"),
    ("#[a] !", ""),
    ("let x: Map<Int, ", ""),
    ("n.", ""),
    ("if if ", ""),
];

#[test]
fn deep_nesting_is_an_error_and_no_overflow() {
    // The stack of a test's thread is 2 MiB, less than a program's.
    for (start, end) in LEVELS {
        for depth in [20, 60, 100, 120, 240, 20_000] {
            let body = format!("{}n{}", start.repeat(depth), end.repeat(depth));
            let text = format!(
                "#[contract(name = \"S\")] pub mod methods {{ use neo_framework::prelude::*; #[method] pub fn run(n: Int) -> Int {{ {body} }} }}"
            );
            let result = compile("a.rs", &text);
            if depth == 20_000 {
                let shown = result.unwrap_err().to_string();
                assert!(shown.contains("nested too deeply"), "{start}: {shown}");
            }
        }
    }
}

#[test]
fn what_grows_fast_is_an_error_and_no_hang() {
    let body = |text: String| {
        format!(
            "#[contract(name = \"S\")] pub mod methods {{ use neo_framework::prelude::*; #[method] pub fn run(n: Int) -> Int {{ {text} n }} {text} }}"
        )
    };
    let mut tuples = "let t0 = (n, n);".to_owned();
    let mut globs = String::new();
    let mut constants = "const C0: Int = int(1);".to_owned();
    let mut structs = "struct S0 { a: Int }".to_owned();
    for i in 1..64 {
        let before = i - 1;
        tuples += &format!("let t{i} = (t{before}, t{before});");
        globs += &format!(
            "mod m{i} {{ use super::m{before}::*; use super::m{before}::*; use super::m{}::*; }}",
            i + 1
        );
        constants += &format!("const C{i}: Int = C{before} + C{before};");
        structs += &format!(
            "struct S{i} {{ {} }}",
            (0..12)
                .map(|n| format!("f{n}: S{before},"))
                .collect::<String>()
        );
    }
    assert!(compile("a.rs", &body(tuples)).is_err());
    for text in [
        format!("{globs} use m5::*; const X: Int = missing;"),
        format!("{constants} const X: Int = C63;"),
        format!("{structs} fn f(a: S40) -> S40 {{ a.clone() }}"),
        "enum E { A = E::A as i64 }".to_owned(),
        "enum E { A(E), B(Option<E>) } fn f(e: E) -> E { match e { E::A(E::A(E::B(_))) => e.clone(), _ => e } }".to_owned(),
    ] {
        let call = if text.contains("X:") { "X" } else { "n" };
        let text = format!("#[contract(name = \"S\")] pub mod methods {{ use neo_framework::prelude::*; {text} #[method] pub fn run(n: Int) -> Int {{ let a = array![n]; {call} }} }}");
        let _ = compile("a.rs", &text);
    }
}
