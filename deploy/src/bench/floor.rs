//! The floor: contracts written in NeoVM's own instructions, to see what a compiler could reach at best.
//!
//! A line is a directive, a label, or an instruction by its name in `neo-opcode`'s table. `PUSH` takes a number, a
//! `"text"` or `0x` bytes in the shortest form; jumps take a label, `SYSCALL` a name, `CALLT` the name of a `.token`.

use std::collections::HashMap;

use anyhow::{Context, Result, anyhow, bail, ensure};
use neo_client::{Hash160, MethodToken, Nef};
use neo_opcode::{Op, Operand, Syscall, asm};
use serde_json::{Value, json};

use super::Artifact;

const COMPILER: &str = "by hand";

/// What the lines so far have made.
#[derive(Default)]
struct Assembly {
    name: String,
    standards: Vec<String>,
    script: Vec<u8>,
    tokens: Vec<MethodToken>,
    methods: Vec<Value>,
    events: Vec<Value>,
    labels: HashMap<String, usize>,
    /// Jumps whose operand byte waits for its label: where the jump is, and which label.
    jumps: Vec<(usize, String)>,
}

/// Assembles one file.
pub(super) fn assemble(text: &str) -> Result<Artifact> {
    let mut to = Assembly::default();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with(';') {
            continue;
        }
        to.line(line)
            .with_context(|| format!("line {}: {line}", number + 1))?;
    }
    to.finish()
}

impl Assembly {
    fn line(&mut self, line: &str) -> Result<()> {
        if let Some(label) = line.strip_suffix(':') {
            let before = self.labels.insert(label.to_owned(), self.script.len());
            ensure!(before.is_none(), "the label is there already");
            return Ok(());
        }
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            ".contract" => {
                let mut words = rest.split_whitespace().map(str::to_owned);
                self.name = words.next().context("no name")?;
                self.standards = words.collect();
            }
            ".event" => {
                let mut words = rest.split_whitespace();
                let name = words.next().context("no name")?;
                let parameters = words.map(parameter).collect::<Result<Vec<_>>>()?;
                self.events
                    .push(json!({"name": name, "parameters": parameters}));
            }
            ".token" => self.tokens.push(token(rest)?),
            ".method" => self.method(rest)?,
            "PUSH" => self.push(rest)?,
            _ => self.instruction(word, rest)?,
        }
        Ok(())
    }

    /// `name(a:Type,b:Type) Result safe`
    fn method(&mut self, text: &str) -> Result<()> {
        let (name, rest) = text.split_once('(').context("no (")?;
        let (parameters, rest) = rest.split_once(')').context("no )")?;
        let parameters = parameters
            .split(',')
            .filter(|p| !p.is_empty())
            .map(parameter)
            .collect::<Result<Vec<_>>>()?;
        let mut words = rest.split_whitespace();
        let result = words.next().context("no type of the result")?;
        self.methods.push(json!({
            "name": name,
            "offset": self.script.len(),
            "parameters": parameters,
            "returntype": result,
            "safe": words.next() == Some("safe"),
        }));
        Ok(())
    }

    fn push(&mut self, text: &str) -> Result<()> {
        let out = &mut self.script;
        if let Some(text) = text.strip_prefix('"').and_then(|t| t.strip_suffix('"')) {
            asm::push_data(out, text.as_bytes());
        } else if let Some(bytes) = text.strip_prefix("0x") {
            asm::push_data(out, &hex::decode(bytes)?);
        } else {
            asm::push_int(out, text.parse()?);
        }
        Ok(())
    }

    fn instruction(&mut self, name: &str, rest: &str) -> Result<()> {
        let op = Op::from_mnemonic(name).ok_or_else(|| anyhow!("{name} is no instruction"))?;
        let operand = match op.info().operand {
            Operand::None => Vec::new(),
            Operand::Offset(1) => {
                self.jumps.push((self.script.len(), rest.to_owned()));
                vec![0]
            }
            Operand::Syscall => Syscall::by_name(rest)
                .ok_or_else(|| anyhow!("{rest} is no system call"))?
                .id
                .to_vec(),
            Operand::Token => {
                let at = self.tokens.iter().position(|t| t.method == rest);
                u16::try_from(at.context("no such .token")?)?
                    .to_le_bytes()
                    .to_vec()
            }
            Operand::Raw(count) => {
                let bytes = rest
                    .split_whitespace()
                    .map(|n| Ok(n.parse()?))
                    .collect::<Result<Vec<u8>>>()?;
                ensure!(bytes.len() == count, "{name} takes {count} numbers");
                bytes
            }
            other => bail!("{name} with {other:?} is not for hand-written contracts"),
        };
        asm::op_with(&mut self.script, op, &operand);
        Ok(())
    }

    fn finish(mut self) -> Result<Artifact> {
        for (at, label) in &self.jumps {
            let target = *self
                .labels
                .get(label)
                .with_context(|| format!("there is no label {label}"))?;
            let distance = i64::try_from(target)? - i64::try_from(*at)?;
            let distance =
                i8::try_from(distance).with_context(|| format!("{label} is too far from {at}"))?;
            let operand = self.script.get_mut(at + 1).context("a jump has a byte")?;
            *operand = distance.to_le_bytes()[0];
        }
        let manifest = json!({
            "name": self.name,
            "groups": [],
            "features": {},
            "supportedstandards": self.standards,
            "abi": {"methods": self.methods, "events": self.events},
            "permissions": [{"contract": "*", "methods": "*"}],
            "trusts": [],
            "extra": null,
        });
        let nef = Nef {
            compiler: COMPILER.to_owned(),
            tokens: self.tokens,
            script: self.script,
            ..Nef::default()
        };
        Ok(Artifact {
            nef: nef.to_bytes(),
            manifest: manifest.to_string(),
        })
    }
}

fn parameter(text: &str) -> Result<Value> {
    let (name, ty) = text.split_once(':').context("a parameter is name:Type")?;
    Ok(json!({"name": name, "type": ty}))
}

/// `method hash parameters returns flags n`, the hash as scripts have it.
fn token(text: &str) -> Result<MethodToken> {
    let words: Vec<_> = text.split_whitespace().collect();
    let [method, hash, parameters, "returns", "flags", flags] = words.as_slice() else {
        bail!("a token is: method hash parameters returns flags n");
    };
    let hash: [u8; 20] = hex::decode(hash)?
        .try_into()
        .map_err(|_| anyhow!("a hash has 20 bytes"))?;
    Ok(MethodToken {
        contract: Hash160(hash),
        method: (*method).to_owned(),
        parameter_count: parameters.parse()?,
        has_return_value: true,
        call_flags: flags.parse()?,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn script(text: &str) -> Vec<u8> {
        Nef::from_bytes(&assemble(text).unwrap().nef)
            .unwrap()
            .script
    }

    #[test]
    fn jumps_reach_their_labels_both_ways() {
        let text =
            ".contract C\n.method m() Any\nagain:\nDUP\nJMPIF again\nJMP end\nNOP\nend:\nRET";
        assert_eq!(
            script(text),
            [0x4A, 0x24, 0xFF, 0x22, 0x03, 0x21, 0x40],
            "back 1, on by 3"
        );
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, expected) in [
            ("JMP nowhere", "there is no label nowhere"),
            ("\n; fine\nPUSH x", "line 3: PUSH x"),
            ("FLY", "FLY is no instruction"),
            ("SYSCALL System.Moon", "System.Moon is no system call"),
            ("a:\na:", "the label is there already"),
        ] {
            let error = format!("{:#}", assemble(text).unwrap_err());
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn the_committed_floors_assemble() {
        for text in [
            include_str!("../../../benches/contract/floor/token.asm"),
            include_str!("../../../benches/contract/floor/small.asm"),
        ] {
            assemble(text).unwrap();
        }
    }
}
