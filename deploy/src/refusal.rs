//! Refusals in the contract's own words, without the way neo-go wraps them, and where in its source they come from.

use std::borrow::Cow;

use crate::contract::Artifacts;

/// Where in the wrapping the contract's words begin. neo-go 0.120 writes
/// `at instruction 1149 (ASSERTMSG): ASSERTMSG is executed with false result. Reason: <words>`.
const BEFORE_THE_WORDS: [&str; 2] = [
    "ASSERTMSG is executed with false result. Reason: ",
    "ABORTMSG is executed. Reason: ",
];

/// The same message without instruction numbers, instruction names and the price of the test run. What is no refusal
/// stays as it is.
pub fn plain(message: &str) -> String {
    let mut text = Cow::Borrowed(message);
    if let Some((start, end)) = wrapping(&text) {
        text = Cow::Owned(format!("{}{}", &text[..start], &text[end..]));
    }
    if let Some(cut) = text
        .strip_suffix(" datoshi)")
        .and_then(|rest| rest.rfind(" (test run took "))
    {
        text = Cow::Owned(text[..cut].to_owned());
    }
    HINTS
        .iter()
        .find(|(part, _)| text.contains(part))
        .map_or_else(
            || text.clone().into_owned(),
            |(_, hint)| format!("{text}; {hint}"),
        )
}

/// Where in the contract's source the fault of a message is: `at contract/src/boxes.rs:57 (boxes::create), called at …`.
/// None if the message blames no instruction of this contract, or tells words that it does not have.
pub fn place(message: &str, artifacts: &Artifacts) -> Option<String> {
    let debug = neoc::fault::DebugInfo::parse(&artifacts.debug).ok()?;
    let nef = artifacts.parse_nef().ok()?;
    if words(message).is_some_and(|words| !has(&nef.script, words)) {
        return None;
    }
    let ways = debug.fault(message, &nef.script);
    (!ways.is_empty()).then(|| neoc::fault::describe(&ways))
}

/// The contract's own words, where the message has such.
fn words(message: &str) -> Option<&str> {
    let (_, rest) = BEFORE_THE_WORDS
        .iter()
        .find_map(|before| message.split_once(before))?;
    Some(rest.split(" (test run took ").next().unwrap_or(rest))
}

/// Whether a script holds the beginning of these words; what follows them in a message is not the contract's.
fn has(script: &[u8], words: &str) -> bool {
    const ENOUGH: usize = 12;
    let words = words.as_bytes();
    let start = &words[..words.len().min(ENOUGH)];
    start.is_empty() || script.windows(start.len()).any(|part| part == start)
}

/// What to do about the refusals of the node that name no remedy.
const HINTS: [(&str, &str); 4] = {
    let wrong = "are --contract and --rpc (or contract and rpc_url in phantasma.toml) right?";
    [
        ("called contract ", wrong),
        ("failed: method not found: ", wrong),
        (
            "contract already exists",
            "it can be used with --contract and this hash",
        ),
        (
            "(code -511)",
            "on a private net `phantasma net fund ADDRESS` gives it",
        ),
    ]
};

/// From `at instruction` to where the words begin.
fn wrapping(text: &str) -> Option<(usize, usize)> {
    let start = text.find("at instruction ")?;
    let mut end = start + text[start..].find("): ")? + "): ".len();
    for before in BEFORE_THE_WORDS {
        if text[end..].starts_with(before) {
            end += before.len();
        }
    }
    Some((start, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_contracts_words_are_left() {
        for (told, plainly) in [
            (
                "createBox of 0x12 would fail, so it was not sent: at instruction 1289 (ASSERTMSG): ASSERTMSG is executed with false result. Reason: createBox: name is taken (test run took 3315000 datoshi)",
                "createBox of 0x12 would fail, so it was not sent: createBox: name is taken",
            ),
            (
                "readContentAt refuses: at instruction 9 (ABORTMSG): ABORTMSG is executed. Reason: gate refuses",
                "readContentAt refuses: gate refuses",
            ),
        ] {
            assert_eq!(plain(told), plainly);
        }
    }

    #[test]
    fn other_errors_stay_as_they_are() {
        for text in [
            "",
            "reading x (y): no",
            "at instruction",
            "é (test run took",
        ] {
            assert_eq!(plain(text), text);
        }
    }

    #[test]
    fn an_unknown_contract_and_missing_gas_come_with_a_hint() {
        let told = "findBox refuses: at instruction 43 (SYSCALL): System.Contract.Call failed: called contract 0102 not found: key not found";
        assert!(plain(told).ends_with("right?"), "{}", plain(told));
        assert!(!plain(told).contains("instruction"));
        assert!(plain("Insufficient funds (code -511)").contains("net fund"));
    }
}
