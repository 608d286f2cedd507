//! Counts price units and paid bytes of the contract's calls on a node, exactly and apart.
//!
//! On this net a price unit costs 1 datoshi and a stored byte 10,000,000, the most that Neo allows. So one number says
//! both, as long as a call takes less than 10,000,000 units.

use neo_client::{
    Account, Actor, ContractParam, Hash160, POLICY, PrivateKey, RpcClient, ScriptBuilder, Signer,
    StackItem, VmState, flags,
};
use phantasma::contract::Artifacts;
use phantasma::net::{PrivateNetConfig, validator};
use phantasma_sdk::contract::{DeployParams, Phantasma};
use phantasma_sdk::emulator::{EmulatedAccount, account};
use phantasma_vm::bound::entry_units;
use phantasma_vm::bound::prices::Price;

use crate::TestNet;

/// Datoshi of a stored byte.
const BYTE: i64 = 10_000_000;
/// PicoGAS of a price unit: 1 datoshi.
const UNIT_PICO: u64 = 10_000;
/// Far above what any call takes at these prices.
const MAX_GAS_INVOKE: u32 = 100_000_000;
/// How often a fault that is another one each time is tried.
const ATTEMPTS: usize = 5;
/// What `GasLeft` itself takes.
const GAS_LEFT: i64 = 16;

/// One call of the contract.
#[derive(Clone, Debug)]
pub struct Call {
    pub method: &'static str,
    pub params: Vec<ContractParam>,
}

/// What a list of calls did.
#[derive(Clone, Debug)]
pub struct Metered {
    /// What each call took, without the instructions of the calling script; of a call that faulted, what it took until then.
    pub prices: Vec<Price>,
    /// What each gave; empty after a fault.
    pub results: Vec<StackItem>,
    /// Why the last of them faulted.
    pub fault: Option<String>,
}

/// A contract on a net with prices that can be told apart.
#[derive(Clone, Debug)]
pub struct Meter {
    rpc: RpcClient,
    pub contract: Hash160,
    /// Has all SOUL. Of who signs in a test invocation only the hash counts, so that accounts of the emulator will do.
    pub owner: EmulatedAccount,
    /// Another one who signs.
    pub other: EmulatedAccount,
}

/// A net for [`Meter`]s, and an account with GAS to deploy contracts.
pub async fn net() -> (TestNet, Account) {
    let config = PrivateNetConfig {
        max_gas_invoke: MAX_GAS_INVOKE,
        ..PrivateNetConfig::default()
    };
    let net = TestNet::with(config).await;
    let owner = net.funded_account(500).await;
    (net, owner)
}

/// Puts a contract on the net.
pub async fn deploy(net: &TestNet, params: &DeployParams, deployer: &Account) -> Hash160 {
    let artifacts = Artifacts::compile(None).unwrap_or_else(|e| panic!("{e:#}"));
    let nef = artifacts.parse_nef().expect("a NEF");
    let manifest = artifacts.parse_manifest().expect("a manifest");
    let deployed = Phantasma::deploy(net.rpc(), deployer, &nef, &manifest, params).await;
    deployed.unwrap_or_else(|e| panic!("{e}")).0.hash()
}

/// Makes the net's prices those that can be told apart. Transactions cost a fortune from then on.
pub async fn set_prices(net: &TestNet) {
    let key = PrivateKey::from_wif(validator::WIF).expect("the validator's key");
    let committee = Account::multisig(key.clone(), 1, &[key.public_key()]).expect("1 of 1");
    let actor = Actor::new(net.rpc(), committee);
    for (method, value) in [
        ("setExecFeeFactor", UNIT_PICO),
        ("setStoragePrice", BYTE as u64),
    ] {
        actor
            .invoke(&POLICY, method, &[value.into()])
            .await
            .unwrap_or_else(|e| panic!("{method}: {e}"));
    }
}

impl Meter {
    /// `owner` is the contract's.
    pub fn new(net: &TestNet, contract: Hash160) -> Meter {
        Meter {
            rpc: net.rpc(),
            contract,
            owner: account("owner"),
            other: account("other"),
        }
    }

    /// Tries the calls, one after the other in one transaction, which is not sent.
    pub async fn run(&self, calls: &[Call]) -> Metered {
        for _ in 0..ATTEMPTS {
            if let Some(metered) = self.attempt(calls).await {
                return metered;
            }
        }
        // What faults depends on chance: nothing is said of the call that did.
        Metered {
            prices: Vec::new(),
            results: Vec::new(),
            fault: Some("not the same twice".to_owned()),
        }
    }

    /// None if a fault was not the same twice, because of the time or of random numbers.
    async fn attempt(&self, calls: &[Call]) -> Option<Metered> {
        let (state, total, stack) = self.try_all(calls).await;
        let Err(exception) = state else {
            return Some(Metered {
                prices: self.between(calls, &stack),
                results: stack.into_iter().skip(1).step_by(2).collect(),
                fault: None,
            });
        };
        // Which call faulted, and what those before it took, shows the longest list that does not.
        for count in (0..calls.len()).rev() {
            let (state, before, stack) = self.try_all(&calls[..count]).await;
            if state.is_err() {
                continue;
            }
            if self.try_all(calls).await.1 != total {
                return None;
            }
            let mut prices = self.between(&calls[..count], &stack);
            let last = total - before - self.entry_units(&calls[count]);
            if last < 0 {
                return None;
            }
            prices.push(price(last));
            return Some(Metered {
                prices,
                results: Vec::new(),
                fault: Some(exception),
            });
        }
        panic!("an empty script faults: {exception}")
    }

    /// What the calls took, all of which must return.
    pub async fn prices(&self, calls: &[Call]) -> Vec<Price> {
        let metered = self.run(calls).await;
        assert_eq!(metered.fault, None, "{calls:?}");
        metered.prices
    }

    /// Units of the instructions that make a call.
    pub fn entry_units(&self, call: &Call) -> i64 {
        entry_units(&self.script_of(call)) as i64
    }

    fn script_of(&self, call: &Call) -> Vec<u8> {
        let mut script = ScriptBuilder::new();
        script.call(&self.contract, call.method, flags::ALL, &call.params);
        script.build().expect("a short script")
    }

    /// How it ended, all that it took, and its stack: `GasLeft` at the start, then the result of each call and `GasLeft`
    /// after it.
    async fn try_all(&self, calls: &[Call]) -> (Result<(), String>, i64, Vec<StackItem>) {
        let mut ask = ScriptBuilder::new();
        ask.syscall("System.Runtime.GasLeft");
        let ask = ask.build().expect("one instruction");
        let mut script = ask.clone();
        for call in calls {
            script.extend(self.script_of(call));
            script.extend(&ask);
        }
        let signers = [&self.owner, &self.other].map(|account| Signer::new(account.hash));
        let result = self.rpc.invoke_script(&script, &signers).await;
        let result = result.unwrap_or_else(|e| panic!("{e}"));
        let state = match result.state {
            VmState::Halt => Ok(()),
            VmState::Fault => Err(result.exception.unwrap_or_default()),
        };
        (state, result.gas_consumed, result.stack)
    }

    fn between(&self, calls: &[Call], stack: &[StackItem]) -> Vec<Price> {
        let left: Vec<i64> = stack
            .iter()
            .step_by(2)
            .map(|item| item.as_i64().expect("a number"))
            .collect();
        let pairs = left.windows(2).zip(calls);
        let all =
            pairs.map(|(pair, call)| price(pair[0] - pair[1] - GAS_LEFT - self.entry_units(call)));
        all.collect()
    }
}

fn price(datoshi: i64) -> Price {
    let datoshi = u64::try_from(datoshi).expect("a call costs something");
    Price {
        units: datoshi % BYTE as u64,
        bytes: datoshi / BYTE as u64,
    }
}
