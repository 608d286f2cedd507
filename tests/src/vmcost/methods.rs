//! The rows of the contract's methods: what they take beside the scripts that they run.

use neo_client::ContractParam;
use phantasma_vm::bound::prices::Price;

use super::measure::{FALSE, Measure, Mode, ONE, TRUE, TWO, call, create, less, minus, most};
use super::meter::{Call, Meter};

/// What a gate may leave to let somebody in: each is asked for in another way.
pub(super) const ANSWERS: [(&[u8], &str); 4] = [
    (&[TRUE], "PUSHT"),
    (&[ONE], "PUSH1"),
    (&[TWO], "PUSH2"),
    (&[0x0C, 1, ONE], "PUSHDATA1"),
];

impl Measure {
    pub(super) async fn methods(&mut self) {
        let content = self.script(&["PUSHT"], false);
        let check = self.row("PUSHT").check;
        let write = [self.write_plain(1)];
        let two = [self.write_plain(1), self.write_plain(1)];

        let price = self.method(&[], &write[0]).await;
        // The content's byte is not its own, nor that of its index; the count may grow by one.
        let later = self.method(&write, &write[0]).await;
        self.prices.write_later = Price {
            bytes: later.bytes - 1,
            ..less(later, check)
        };
        self.prices.write_first = minus(
            price,
            Price {
                units: check,
                bytes: 1,
            },
        );
        self.prices.read_at = less(self.method(&write, &self.read_at(1)).await, content);
        self.prices.inspect = less(self.method(&write, &self.inspect(1)).await, content);
        self.prices.call = less(self.method(&write, &self.call_with(0)).await, content);
        let mut taken = Vec::new();
        for inputs in [0, 1, 5] {
            taken.push(self.method(&write, &self.call_with(inputs)).await.units);
        }
        let (one, more) = (taken[1] - taken[0], (taken[2] - taken[1]).div_ceil(4));
        self.prices.input = one.max(more).saturating_sub(self.prices.leftover);
        self.pulls().await;
        // Somebody else's content, for which the box's owner is asked for.
        let strange = self.write_by(&self.meter.other, 1);
        let strange = [strange.clone(), strange];
        let delete = self.method(&two, &self.delete()).await;
        let delete = most(delete, self.method(&strange, &self.delete()).await);
        self.prices.delete = Price {
            // The number of contents that are left may take a byte more than here.
            bytes: delete.bytes + 1,
            ..delete
        };
        let replace = self.method(&write, &self.replace(&[TRUE])).await;
        let replace = most(replace, self.method(&strange, &self.replace(&[TRUE])).await);
        // 21 bytes over 21.
        self.prices.replace = minus(
            replace,
            Price {
                units: check,
                bytes: (21 - 1) / 4 + 1,
            },
        );
        self.look_again().await;
        self.alloc(check).await;
    }

    /// The dearest of a method's calls over the answers of the gate of box 1, without the gate.
    async fn method(&mut self, setup: &[Call], call: &Call) -> Price {
        let mut worst = Price::default();
        for (gate, name) in ANSWERS {
            let known = self.gate_of(gate.len(), name);
            let calls = [&[self.create("a", gate)], setup, std::slice::from_ref(call)].concat();
            let price = self
                .meter
                .prices(&calls)
                .await
                .last()
                .copied()
                .expect("a call");
            worst = most(worst, less(price, known));
        }
        worst
    }

    /// What a gate of one instruction takes.
    pub(super) fn gate_of(&mut self, bytes: usize, name: &str) -> u64 {
        let mode = self.mode_of(bytes, self.prices.gate_word_bytes);
        let around = super::measure::pick(self.prices.start, mode);
        around + super::measure::pick(self.prices.end, mode) + self.units(name, mode)
    }

    /// `readContent` by somebody else, whom the gate lets in or lets take, and by the owner.
    async fn pulls(&mut self) {
        let other = self.pull(&self.meter.other.hash);
        let owner = self.pull(&self.meter.owner.hash);
        let mut taken = Price::default();
        for (script, name) in [(TRUE, "PUSHT"), (ONE, "PUSH1")] {
            let contents = [self.write_plain(1), self.write(1, &[script])];
            let known = self.script(&[name], false);
            taken = most(taken, less(self.method(&contents, &owner).await, known));
        }
        self.prices.pull_taken = Price {
            bytes: taken.bytes + 1,
            ..taken
        };
        let mut kept = Price::default();
        for (gate, name) in [ANSWERS[0], ANSWERS[1], ANSWERS[3]] {
            // The content is asked whether it may be taken off too.
            for (script, content_name) in [(TRUE, "PUSHT"), (FALSE, "PUSHF"), (ONE, "PUSH1")] {
                let calls = [
                    self.create("a", gate),
                    self.write(1, &[script]),
                    other.clone(),
                ];
                let known = self.gate_of(gate.len(), name) + self.script(&[content_name], false);
                kept = most(kept, less(self.meter.prices(&calls).await[2], known));
            }
        }
        self.prices.pull_kept = kept;
    }

    /// What `readContent` takes more when the gate has changed something.
    async fn look_again(&mut self) {
        let kept = [&[0x0C, 1, 7, 0x0C, 1, 7], &[0xFE, TRUE][..]].concat();
        let gate = self.shaped(&kept, Mode::Byte).expect("any length");
        // `delete` looks again when its gate has changed something.
        let calls = [
            self.create("a", &gate),
            self.write_plain(1),
            self.write_plain(1),
            self.delete(),
        ];
        let price = self.meter.prices(&calls).await[3].units;
        let start = self.prices.start.byte;
        let names = ["PUSHDATA1", "PUSHDATA1", "WRITE", "PUSHT", "RET"];
        let known: u64 = names.iter().map(|name| self.units(name, Mode::Byte)).sum();
        // The same where nothing was changed.
        let gate = self.shaped(&[TRUE], Mode::Byte).expect("any length");
        let calls = [&[self.create("a", &gate)][..], &calls[1..]].concat();
        let plain = self.meter.prices(&calls).await[3].units
            - start
            - self.units("PUSHT", Mode::Byte)
            - self.units("RET", Mode::Byte);
        self.prices.look_again = price.saturating_sub(start + known + plain);
    }

    /// A content with `ALLOC`: its check, its fee, its entry, and the tree over its blocks' ids.
    async fn alloc(&mut self, check: u64) {
        let mut found = Vec::new();
        for blocks in 1..=4u8 {
            let size = (u64::from(blocks) * 262_144).to_le_bytes();
            let ids: Vec<u8> = (0..blocks).flat_map(|n| vec![n; 32]).collect();
            let script = [&[0xFA][..], &size, &ids, &[TRUE]].concat();
            let write = self.write(1, &script);
            found.push(self.method(&[], &write).await);
        }
        let first = self.prices.write_first;
        // It is stored as `LINK` with an id.
        let bytes = first.bytes + 1 + 33;
        let alloc = minus(
            found[0],
            Price {
                units: first.units + check,
                bytes,
            },
        );
        // When something was paid before, the fee takes more units and fewer bytes.
        let ids = [&[0xFA][..], &1u64.to_le_bytes(), &[9; 32], &[TRUE]].concat();
        let earlier = [self.write(1, &ids)];
        let ids = [&[0xFA][..], &1u64.to_le_bytes(), &[8; 32], &[TRUE]].concat();
        let write = self.write(1, &ids);
        let again =
            self.method(&earlier, &write).await.units - self.prices.write_later.units - check;
        self.prices.alloc = Price {
            units: alloc.units.max(again),
            ..alloc
        };
        let step = |n: usize| found[n].units - found[n - 1].units;
        // Two ids: a pair, a level. Three: another pair and level, and one that goes up alone. Four: a pair more, none alone.
        let odd = step(2) - step(1);
        let pair = step(3) + odd;
        self.prices.root_odd = odd;
        self.prices.root_pair = pair;
        self.prices.root_level = step(1) - pair;
    }

    /// `createBox` where it costs something.
    pub(super) async fn creation(&mut self, meter: &Meter) {
        let mut created = Vec::new();
        for name in ["a", "aa", "a0", "az", "a_", "a9"] {
            let calls = [create(&meter.owner, name, &[TRUE])];
            created.push(meter.prices(&calls).await[0]);
        }
        let one = created[0];
        // A second box finds what the first one paid, which takes more units and fewer bytes.
        let calls = ["a", "b"].map(|name| create(&meter.owner, name, &[TRUE]));
        let second = meter.prices(&calls).await[1];
        let letter = created[1..]
            .iter()
            .fold(Price::default(), |worst, two| most(worst, minus(*two, one)));
        self.prices.name_byte = letter;
        let check = self.row("PUSHT").check;
        // Its gate's byte is not its own. The counter may take a byte more when it grows.
        let rest = minus(
            one,
            Price {
                units: letter.units + check,
                bytes: letter.bytes + 1,
            },
        );
        self.prices.create = Price {
            units: rest.units + second.units.saturating_sub(one.units),
            bytes: rest.bytes + 1,
        };
    }

    fn call_with(&self, inputs: usize) -> Call {
        let caller = self.meter.owner.hash.into();
        let inputs = ContractParam::Array(vec![1u64.into(); inputs]);
        call(
            "callContent",
            vec![caller, 1u64.into(), 0u64.into(), inputs, u64::MAX.into()],
        )
    }

    fn pull(&self, caller: &neo_client::Hash160) -> Call {
        call(
            "readContent",
            vec![(*caller).into(), 1u64.into(), u64::MAX.into()],
        )
    }

    fn delete(&self) -> Call {
        call(
            "deleteContent",
            vec![self.meter.owner.hash.into(), 1u64.into()],
        )
    }

    fn replace(&self, script: &[u8]) -> Call {
        let caller = self.meter.owner.hash.into();
        call(
            "replaceContent",
            vec![caller, 1u64.into(), script.into(), u64::MAX.into()],
        )
    }
}
