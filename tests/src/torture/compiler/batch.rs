//! Programs that share a contract, compiled by `neoc` and called on the node.

use std::collections::{BTreeMap, BTreeSet};

use neo_client::{Account, ContractParam, Hash160, StackItem, VmState};
use neoc::{Contract, Options, Passes};
use tokio::task::JoinSet;

use super::program::Program;
use crate::TestNet;
use crate::torture::{PARALLEL, deployed};

/// Lines above the first program.
const HEAD: &str = "#[neo_framework::contract(name = \"NAME\")]\npub mod methods {\nuse neo_framework::prelude::*;\n";
/// A deployment costs a thousandth of a GAS for each byte, and a test run of it may cost 15 GAS.
const MAX_BYTES: usize = 14_000;

/// Programs of one contract.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) programs: Vec<Program>,
}

/// An optimised and a plain contract of the same programs.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) group: Group,
    plain: Contract,
    optimised: Contract,
}

/// What `neoc` says against a program that rustc may well take.
#[derive(Clone, Debug)]
pub(super) struct Refused {
    pub(super) program: Program,
    pub(super) why: String,
}

impl Group {
    pub(super) fn source(&self) -> String {
        let mut text = HEAD.replace("NAME", &self.name);
        for program in &self.programs {
            text += &program.source();
        }
        text + "}\n"
    }

    /// Which program a line of the source is of; lines count from 1.
    pub(super) fn program_at(&self, line: usize) -> Option<usize> {
        let mut start = 1 + HEAD.lines().count();
        self.programs.iter().position(|program| {
            start += program.lines.len();
            line < start
        })
    }

    pub(super) fn without(&self, gone: &BTreeSet<usize>) -> Group {
        let kept = self.programs.iter().enumerate();
        let kept = kept.filter(|(at, _)| !gone.contains(at));
        Group {
            name: self.name.clone(),
            programs: kept.map(|(_, program)| program.clone()).collect(),
        }
    }

    fn compile(&self, passes: Passes) -> Result<Contract, neoc::Errors> {
        let files = BTreeMap::from([("lib.rs".to_owned(), self.source())]);
        neoc::compile_with(&files, "lib.rs", &[], &Options { passes })
    }

    /// Compiles with and without optimisation, leaving out what is refused, in contracts that can be deployed.
    pub(super) fn compiled(self, refused: &mut Vec<Refused>) -> Vec<Pair> {
        let mut group = self;
        let plain = loop {
            if group.programs.is_empty() {
                return Vec::new();
            }
            let errors = match group.compile(Passes::none()) {
                Ok(contract) => break contract,
                Err(errors) => errors,
            };
            let mut gone = BTreeSet::new();
            for error in &errors.list {
                let at = group.program_at(error.loc.line).unwrap_or(0);
                if gone.insert(at) {
                    let (program, why) = (group.programs[at].clone(), error.render(&errors.files));
                    refused.push(Refused { program, why });
                }
            }
            group = group.without(&gone);
        };
        let optimised = group.compile(Passes::all());
        let too_long = |c: &Contract| c.nef.len() + c.manifest.len() > MAX_BYTES;
        let any_too_long = too_long(&plain) || optimised.as_ref().is_ok_and(too_long);
        if group.programs.len() > 1 && any_too_long {
            let half = group.programs.len() / 2;
            let mut second = group.clone();
            second.programs = group.programs.split_off(half);
            second.name += "b";
            group.name += "a";
            let mut pairs = group.compiled(refused);
            pairs.extend(second.compiled(refused));
            return pairs;
        }
        match optimised {
            Ok(optimised) => vec![Pair {
                group,
                plain,
                optimised,
            }],
            Err(errors) => {
                let why = format!("only with optimisation: {errors}");
                let all = group.programs.into_iter();
                refused.extend(all.map(|program| Refused {
                    program,
                    why: why.clone(),
                }));
                Vec::new()
            }
        }
    }
}

/// What a call gave on the node.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Given {
    Value(String),
    Fault(String),
}

impl Pair {
    /// Deploys both; the plain contract first.
    pub(super) async fn deploy(&self, net: &TestNet, deployer: &Account) -> [Hash160; 2] {
        // Two of one name by one account differ in their code, except when nothing was optimised: then they are one.
        let plain = deployed(net, deployer, &self.plain).await;
        if self.plain.nef == self.optimised.nef {
            return [plain, plain];
        }
        [plain, deployed(net, deployer, &self.optimised).await]
    }

    /// Each program's calls in order, on the contract with this hash.
    pub(super) async fn call(&self, net: &TestNet, hash: Hash160) -> Vec<Given> {
        let mut calls = Vec::new();
        for program in &self.group.programs {
            for args in &program.calls {
                let args: Vec<ContractParam> = args.iter().map(|arg| arg.for_node()).collect();
                calls.push((program.method.clone(), args));
            }
        }
        let mut workers = JoinSet::new();
        for worker in 0..PARALLEL {
            let (rpc, calls) = (net.rpc(), calls.clone());
            workers.spawn(async move {
                let mut given = Vec::new();
                for (at, (method, args)) in calls.iter().enumerate().skip(worker).step_by(PARALLEL)
                {
                    let result = rpc.invoke_function(&hash, method, args, &[]).await;
                    let mut result = result.expect("an answer of the node");
                    given.push((
                        at,
                        match result.state {
                            VmState::Halt => Given::Value(
                                result.stack.pop().map_or_else(String::new, |i| shown(&i)),
                            ),
                            VmState::Fault => Given::Fault(result.exception.unwrap_or_default()),
                        },
                    ));
                }
                given
            });
        }
        let mut all = workers.join_all().await.concat();
        all.sort_by_key(|(at, _)| *at);
        all.into_iter().map(|(_, given)| given).collect()
    }
}

/// As the native program writes an item.
fn shown(item: &StackItem) -> String {
    let list = |items: &[StackItem]| items.iter().map(shown).collect::<Vec<_>>().join(",");
    match item {
        StackItem::Null => "null".into(),
        StackItem::Boolean(value) => value.to_string(),
        StackItem::Integer(value) => value.to_string(),
        StackItem::ByteString(value) => format!("\"{}\"", hex::encode(value)),
        StackItem::Buffer(value) => format!("buffer\"{}\"", hex::encode(value)),
        StackItem::Array(items) => format!("[{}]", list(items)),
        StackItem::Struct(items) => format!("struct[{}]", list(items)),
        StackItem::Map(pairs) => {
            let pairs = pairs
                .iter()
                .map(|(k, v)| format!("{}:{}", shown(k), shown(v)));
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(","))
        }
        other => format!("{other:?}"),
    }
}
