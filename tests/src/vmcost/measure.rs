//! Measures the price table of `phantasma_vm::bound`: each row is the difference between two calls.

use neo_client::ContractParam;
use phantasma_sdk::contract::DeployParams;
use phantasma_sdk::emulator::{EmulatedAccount, account};
use phantasma_vm::TABLE;
use phantasma_vm::bound::prices::{Modes, Price, Prices, Row};

use super::meter::{self, Call, Meter};

pub(super) const TRUE: u8 = 0x08;
pub(super) const FALSE: u8 = 0x09;
pub(super) const ONE: u8 = 0x11;
pub(super) const TWO: u8 = 0x12;
pub(super) const RET: u8 = 0x40;
pub(super) const DROP: u8 = 0x45;
const THROW: u8 = 0x3A;
/// Longer than any script that is run as a number.
const LONG: usize = 48;
/// An amount that takes as many bytes as any amount of SOUL.
pub(super) const AMOUNT: u64 = 1 << 55;
const SUPPLY: u64 = 1 << 62;

/// How the interpreter runs a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Word,
    Byte,
}

/// Everything, measured on a node of its own.
pub async fn measured_prices() -> Prices {
    let (net, deployer) = meter::net().await;
    let params = DeployParams {
        owner: account("owner").hash,
        initial_supply: SUPPLY,
        // So that the pool is empty until the first payment, which then pays for its entry.
        box_fee: 0,
        content_base_fee: 1 << 50,
        pool_share: 20,
        max_supply: SUPPLY,
        sale: neo_client::Hash160::ZERO,
        proofs: neo_client::Hash160::ZERO,
    };
    let contract = meter::deploy(&net, &params, &deployer).await;
    let with_fee = DeployParams {
        box_fee: AMOUNT,
        ..params
    };
    // The same account cannot deploy the same contract twice.
    let second = net.funded_account(500).await;
    let contract_with_fee = meter::deploy(&net, &with_fee, &second).await;
    meter::set_prices(&net).await;
    let mut measure = Measure::new(Meter::new(&net, contract));
    measure.instructions().await;
    measure.methods().await;
    let meter = Meter::new(&net, contract_with_fee);
    measure.creation(&meter).await;
    measure.prices
}

/// The table as far as it is known.
pub(super) struct Measure {
    pub(super) meter: Meter,
    pub(super) prices: Prices,
}

impl Measure {
    fn new(meter: Meter) -> Measure {
        let rows = TABLE.iter().map(|row| Row {
            name: row.mnemonic,
            ..Row::default()
        });
        let rows: Vec<Row> = rows.collect();
        let prices = Prices {
            rows: rows.try_into().expect("as many as the table has"),
            // Rows that are the worst of several measurements start with nothing.
            pay_by_box: Price::default(),
            check_waiting: 0,
            check_target: 0,
            ..phantasma_vm::bound::prices().clone()
        };
        Measure { meter, prices }
    }

    pub(super) fn row(&mut self, name: &str) -> &mut Row {
        let row = self.prices.rows.iter_mut().find(|row| row.name == name);
        row.unwrap_or_else(|| panic!("{name} is in the table"))
    }

    /// What an instruction costs in a content of that length's mode.
    pub(super) fn units(&mut self, name: &str, mode: Mode) -> u64 {
        let row = self.row(name);
        match mode {
            Mode::Word => row.word,
            Mode::Byte => row.byte,
        }
    }

    /// What it costs to run a short script of the named instructions to its end, as a gate or as a content.
    pub(super) fn script(&mut self, names: &[&str], is_gate: bool) -> u64 {
        let mode = if is_gate {
            self.mode_of(names.len(), self.prices.gate_word_bytes)
        } else {
            self.mode_of(names.len(), self.prices.content_word_bytes)
        };
        let around = pick(self.prices.start, mode) + pick(self.prices.end, mode);
        around + names.iter().map(|name| self.units(name, mode)).sum::<u64>()
    }

    pub(super) fn mode_of(&self, bytes: usize, limit: u64) -> Mode {
        if bytes as u64 <= limit {
            Mode::Word
        } else {
            Mode::Byte
        }
    }

    /// The script so that it runs in this mode; none if it is too long for that.
    pub(super) fn shaped(&self, script: &[u8], mode: Mode) -> Option<Vec<u8>> {
        match mode {
            Mode::Word => {
                (script.len() as u64 <= self.prices.content_word_bytes).then(|| script.to_vec())
            }
            Mode::Byte => Some([script, &[RET], &[ONE; LONG]].concat()),
        }
    }

    /// Reads a content of box 1, which was written behind the others that `setup` makes.
    pub(super) async fn read(&self, setup: &[Call], script: &[u8]) -> (Price, Option<String>) {
        let mut calls = vec![self.create("a", &[TRUE])];
        calls.extend_from_slice(setup);
        calls.push(self.write(1, script));
        calls.push(self.read_at(1));
        let metered = self.meter.run(&calls).await;
        assert_eq!(metered.prices.len(), calls.len(), "{:?}", metered.fault);
        (*metered.prices.last().expect("a call"), metered.fault)
    }

    /// What a content that throws at its end takes until then.
    pub(super) async fn until_throw(
        &self,
        setup: &[Call],
        code: &[u8],
        mode: Mode,
    ) -> Option<Price> {
        let script = self.shaped(&[code, &[ONE, THROW]].concat(), mode)?;
        let (price, fault) = self.read(setup, &script).await;
        let fault = fault.unwrap_or_else(|| panic!("{code:?} does not throw"));
        assert!(fault.contains("script: thrown"), "{code:?}: {fault}");
        Some(price)
    }

    /// What `code` takes after `before`; none if it is too long for the mode.
    pub(super) async fn price_of(
        &self,
        setup: &[Call],
        before: &[u8],
        code: &[u8],
        mode: Mode,
    ) -> Option<Price> {
        let with = self
            .until_throw(setup, &[before, code].concat(), mode)
            .await?;
        let without = self.until_throw(setup, before, mode).await?;
        Some(minus(with, without))
    }

    // Calls.

    pub(super) fn create(&self, name: &str, gate: &[u8]) -> Call {
        create(&self.meter.owner, name, gate)
    }

    pub(super) fn write(&self, id: u64, script: &[u8]) -> Call {
        let caller = self.meter.owner.hash.into();
        call(
            "writeContent",
            vec![caller, id.into(), script.into(), u64::MAX.into()],
        )
    }

    pub(super) fn read_at(&self, id: u64) -> Call {
        let caller = self.meter.owner.hash.into();
        call(
            "readContentAt",
            vec![caller, id.into(), 0u64.into(), u64::MAX.into()],
        )
    }
}

pub(crate) fn create(owner: &EmulatedAccount, name: &str, gate: &[u8]) -> Call {
    let params = vec![
        owner.hash.into(),
        name.into(),
        owner.public_key.into(),
        gate.into(),
    ];
    call("createBox", params)
}

pub(crate) fn call(method: &'static str, params: Vec<ContractParam>) -> Call {
    Call { method, params }
}

pub(super) fn pick(modes: Modes, mode: Mode) -> u64 {
    match mode {
        Mode::Word => modes.word,
        Mode::Byte => modes.byte,
    }
}

#[track_caller]
pub(super) fn minus(a: Price, b: Price) -> Price {
    let part = |a: u64, b: u64| a.checked_sub(b).unwrap_or_else(|| panic!("{a} < {b}"));
    Price {
        units: part(a.units, b.units),
        bytes: part(a.bytes, b.bytes),
    }
}

/// The same with fewer units.
#[track_caller]
pub(super) fn less(price: Price, units: u64) -> Price {
    minus(price, Price { units, bytes: 0 })
}

pub(super) fn most(a: Price, b: Price) -> Price {
    Price {
        units: a.units.max(b.units),
        bytes: a.bytes.max(b.bytes),
    }
}
