//! Where a fault on the chain comes from: the instruction that a node names, as a place in the Rust source.

use std::fmt;

use serde_json::Value;

/// A place in the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file as the compiler was given it.
    pub file: String,
    /// Counted from 1.
    pub line: usize,
    /// The function it is in.
    pub function: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{} ({})", self.file, self.line, self.function)
    }
}

/// The instruction that a node's message blames, with its name. neo-go writes `at instruction 123 (ABORTMSG): …`.
pub fn instruction(message: &str) -> Option<(usize, &str)> {
    let rest = message.split_once("at instruction ")?.1;
    let (number, rest) = rest.split_once(" (")?;
    Some((number.parse().ok()?, rest.split_once(')')?.0))
}

/// Debug information of a contract.
#[derive(Clone, Debug)]
pub struct DebugInfo(Value);

impl DebugInfo {
    /// Reads what the compiler wrote.
    ///
    /// # Errors
    /// If the text is no JSON.
    pub fn parse(json: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(json).map(DebugInfo)
    }

    /// The ways to an instruction: several where the compiler wrote equal ends of pieces once. Each is the place,
    /// innermost first; the others are the calls around it that are written out in the same method, so that no frame of
    /// NeoVM tells of them.
    pub fn ways(&self, position: usize) -> Vec<Vec<Place>> {
        self.find(position).unwrap_or_default()
    }

    fn find(&self, position: usize) -> Option<Vec<Vec<Place>>> {
        let method = self.0["methods"].as_array()?.iter().find(|m| {
            let range = m["range"].as_str().and_then(|r| r.split_once('-'));
            range.is_some_and(|(a, b)| {
                a.parse().is_ok_and(|a: usize| a <= position)
                    && b.parse().is_ok_and(|b: usize| position <= b)
            })
        })?;
        let name = method["name"].as_str()?.trim_start_matches(',');
        let points = method["sequence-points"].as_array()?;
        // A point holds until the next one.
        let (at, text) = points
            .iter()
            .filter_map(|p| {
                let (at, rest) = p.as_str()?.split_once('[')?;
                Some((at.parse::<usize>().ok()?, rest))
            })
            .filter(|(at, _)| *at <= position)
            .max_by_key(|(at, _)| *at)?;
        let mut ways = vec![self.way(name, text, &method["inlined-calls"][at.to_string()])?];
        let shared = method["shared"][position.to_string()].as_array();
        for other in shared.into_iter().flatten() {
            let text = other["place"].as_str()?.strip_prefix('[')?;
            ways.push(self.way(other["function"].as_str()?, text, &other["calls"])?);
        }
        Some(ways)
    }

    /// The place and the calls around it.
    fn way(&self, function: &str, text: &str, calls: &Value) -> Option<Vec<Place>> {
        let mut places = vec![self.place(text, function)?];
        for call in calls.as_array().into_iter().flatten() {
            // The place so far is in the function called; the call is in the one around it.
            if let (Some(last), Some(function)) = (places.last_mut(), call[0].as_str()) {
                last.function = function.to_owned();
            }
            places.push(self.place(call[1].as_str()?.strip_prefix('[')?, function)?);
        }
        Some(places)
    }

    /// From `0]57:5-57:30` to a place.
    fn place(&self, text: &str, function: &str) -> Option<Place> {
        let (document, range) = text.split_once(']')?;
        let file = self.0["documents"][document.parse::<usize>().ok()?].as_str()?;
        Some(Place {
            file: file.to_owned(),
            line: range.split_once(':')?.0.parse().ok()?,
            function: function.to_owned(),
        })
    }

    /// The [ways](Self::ways) to the fault that a node's message tells of. `script` is the contract's: if the
    /// instruction is not what the message says, the fault happened in another one and there are none.
    pub fn fault(&self, message: &str, script: &[u8]) -> Vec<Vec<Place>> {
        let Some((position, name)) = instruction(message) else {
            return Vec::new();
        };
        let here = neo_opcode::decode(script)
            .map_while(Result::ok)
            .find(|i| i.position == position);
        if here.is_some_and(|i| i.op.mnemonic() == name) {
            self.ways(position)
        } else {
            Vec::new()
        }
    }
}

/// Ways that are shown; the others are counted.
const SHOWN: usize = 3;

/// `at contract/src/boxes.rs:57 (boxes::create), called at contract/src/lib.rs:86 (createBox)`, other ways after `or`;
/// empty without any.
pub fn describe(ways: &[Vec<Place>]) -> String {
    let mut told: Vec<String> = ways
        .iter()
        .take(SHOWN)
        .map(|way| {
            let places: Vec<String> = way.iter().map(ToString::to_string).collect();
            format!("at {}", places.join(", called at "))
        })
        .collect();
    if ways.len() > SHOWN {
        told.push(format!("at one of {} more places", ways.len() - SHOWN));
    }
    told.join(", or ")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    const SOURCE: &str = r#"#[contract(name = "F")]
pub mod methods {
    use neo_framework::prelude::*;
    #[method(safe)]
    pub fn run(n: Int) -> Int {
        let once = check(n);
        once + check(n + 1)
    }
    fn check(n: Int) -> Int {
        positive(n);
        100 / n
    }
    fn positive(n: Int) {
        assert!(n >= 0, "negative");
    }
}"#;

    #[test]
    fn every_assertion_leads_to_its_line_and_the_calls_around_it() {
        let files = BTreeMap::from([("lib.rs".to_owned(), SOURCE.to_owned())]);
        for passes in [crate::Passes::all(), crate::Passes::none()] {
            let options = crate::Options { passes };
            let contract = crate::compile_with(&files, "lib.rs", &[], &options).unwrap();
            let debug = DebugInfo::parse(&contract.debug).unwrap();
            let (mut seen, mut called) = (0, Vec::new());
            for i in neo_opcode::decode(&contract.script).map_while(Result::ok) {
                let wanted = match i.op.mnemonic() {
                    "ASSERTMSG" | "ABORTMSG" => (14, "methods::positive"),
                    "DIV" => (11, "methods::check"),
                    _ => continue,
                };
                let text = format!("at instruction {} ({}): no", i.position, i.op.mnemonic());
                let ways = debug.fault(&text, &contract.script);
                for places in &ways {
                    assert_eq!(
                        (places[0].line, places[0].function.as_str()),
                        wanted,
                        "{places:?}"
                    );
                    if passes == crate::Passes::all() {
                        let last = places.last().unwrap();
                        assert_eq!(last.function, "run");
                        called.push(last.line);
                        assert!(describe(&ways).contains(", called at lib.rs:"));
                    }
                }
                seen += ways.len();
            }
            assert!(seen >= 2);
            // Both calls, for the assertion (written once) and for the division.
            called.sort_unstable();
            let wanted: &[usize] = if passes == crate::Passes::all() {
                &[6, 6, 7, 7]
            } else {
                &[]
            };
            assert_eq!(called, wanted);
        }
    }

    #[test]
    fn faults_of_other_scripts_have_no_place() {
        let files = BTreeMap::from([("lib.rs".to_owned(), SOURCE.to_owned())]);
        let contract = crate::compile(&files, "lib.rs", &[]).unwrap();
        let debug = DebugInfo::parse(&contract.debug).unwrap();
        for text in [
            "",
            "at instruction",
            "at instruction 3 (CHECKSIG): no",
            "at instruction 99999 (DIV): no",
        ] {
            assert!(debug.fault(text, &contract.script).is_empty(), "{text}");
        }
        assert_eq!(describe(&[]), "");
    }
}
