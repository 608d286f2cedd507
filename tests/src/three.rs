//! The three contracts, compiled, and deployed so that each knows the others.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use neo_client::{
    Account, CONTRACT_MANAGEMENT, ContractParam, GAS, Hash160, Manifest, Nef, Transaction, VmState,
    contract_hash,
};

use crate::quiet::{QuietNet, call_script};

/// Sources on disk below the workspace.
struct Below(PathBuf);

impl neoc::Sources for Below {
    fn read(&self, path: &str) -> Option<String> {
        std::fs::read_to_string(self.0.join(path)).ok()
    }
}

/// A compiled contract.
#[derive(Debug)]
pub struct Compiled {
    pub nef: Nef,
    pub manifest: Manifest,
}

impl Compiled {
    /// Bytes of both, as the node counts them.
    pub fn bytes(&self) -> [usize; 2] {
        let manifest = self.manifest.to_json().expect("a manifest");
        [self.nef.to_bytes().len(), manifest.len()]
    }

    /// The hash that it has when this account deploys it.
    pub fn hash(&self, deployer: &Hash160) -> Hash160 {
        contract_hash(deployer, self.nef.checksum(), &self.manifest.name)
    }
}

/// The contract that has the SOUL, the sale, the proofs: compiled once.
pub fn compiled() -> &'static [Compiled; 3] {
    static ALL: OnceLock<[Compiled; 3]> = OnceLock::new();
    ALL.get_or_init(|| {
        let vm = [("phantasma_vm".to_owned(), "vm-compat/src/lib.rs".to_owned())];
        [
            compile("contract/src/lib.rs", &vm),
            compile("contract/sale/src/lib.rs", &[]),
            compile("contract/proofs/src/lib.rs", &[]),
        ]
    })
}

fn compile(root: &str, externs: &[(String, String)]) -> Compiled {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let contract = neoc::compile(&Below(workspace), root, externs)
        .unwrap_or_else(|e| panic!("{root} does not compile:\n{e}"));
    Compiled {
        nef: Nef::from_bytes(&contract.nef).expect("a NEF"),
        manifest: Manifest::from_json(&contract.manifest).expect("a manifest"),
    }
}

/// Their hashes on a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Three {
    pub soul: Hash160,
    pub sale: Hash160,
    pub proofs: Hash160,
}

impl Three {
    /// The hashes that they have when this account deploys them.
    pub fn of(deployer: &Hash160) -> Three {
        let [soul, sale, proofs] = compiled().each_ref().map(|c| c.hash(deployer));
        Three { soul, sale, proofs }
    }

    /// In the order of [`compiled`].
    pub fn all(&self) -> [Hash160; 3] {
        [self.soul, self.sale, self.proofs]
    }

    /// GAS for a deployment.
    pub async fn fund(net: &mut QuietNet, deployer: &Account) {
        let committee = net.net().committee();
        let gift = [
            committee.script_hash.into(),
            deployer.script_hash.into(),
            ContractParam::from(200_0000_0000i64),
            ContractParam::Any,
        ];
        let gift = call_script(&GAS, "transfer", &gift);
        let gift = vec![net.transaction(gift, &[&committee], false)];
        let runs = net.block(net.last().time_ms + 1, 0, gift).await;
        assert_eq!(runs[0].state, VmState::Halt, "{:?}", runs[0].exception);
    }

    /// What deploys all three; `data` is what each one's `_deploy` receives. The deployer has the GAS already.
    pub fn transactions(
        net: &mut QuietNet,
        deployer: &Account,
        data: [ContractParam; 3],
    ) -> Vec<Transaction> {
        let scripts = compiled().iter().zip(data).map(|(contract, data)| {
            let params = [
                ContractParam::bytes(contract.nef.to_bytes()),
                contract.manifest.to_json().expect("a manifest").into(),
                data,
            ];
            call_script(&CONTRACT_MANAGEMENT, "deploy", &params)
        });
        // A contract's hash depends on who pays.
        let signed = scripts.map(|script| net.transaction(script, &[deployer], false));
        signed.collect()
    }

    /// Deploys all three in one block, at that time. What each cost, in datoshi.
    pub async fn deploy(
        net: &mut QuietNet,
        deployer: &Account,
        time_ms: u64,
        data: [ContractParam; 3],
    ) -> (Three, [i64; 3]) {
        Three::fund(net, deployer).await;
        let transactions = Three::transactions(net, deployer, data);
        let runs = net.block(time_ms, 0, transactions).await;
        for run in &runs {
            assert_eq!(run.state, VmState::Halt, "{:?}", run.exception);
        }
        let three = Three::of(&deployer.script_hash);
        (three, [0, 1, 2].map(|at| runs[at].gas_consumed))
    }
}
