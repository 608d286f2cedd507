//! The rows of instructions: running them, and checking them when they are written.

use phantasma_sdk::emulator::EmulatedAccount;
use phantasma_vm::bound::prices::{Modes, Price, Row};
use phantasma_vm::{Flow, Instr, Operand, STATES, TABLE};

use super::measure::{
    AMOUNT, DROP, FALSE, Measure, Mode, ONE, RET, TRUE, TWO, call, less, minus, most,
};
use super::meter::Call;
use super::methods::ANSWERS;

/// Instructions that run scripts of another box.
const VISITS: [&str; 6] = ["PUSH", "PULL", "INSPECT", "DELETE", "REPLACE", "CALL"];
const MODES: [Mode; 2] = [Mode::Word, Mode::Byte];

impl Measure {
    pub(super) async fn instructions(&mut self) {
        self.word_limits().await;
        for row in TABLE {
            let visits = VISITS.contains(&row.mnemonic);
            if row.flow == Flow::Next && row.operand != Operand::Blocks && !visits {
                self.plain(row).await;
            }
        }
        self.jumps().await;
        self.ends().await;
        self.authors().await;
        self.by_state().await;
        self.checks().await;
        self.visits().await;
    }

    /// Up to which length a script that does the same takes another price.
    async fn word_limits(&mut self) {
        let filled = |n: usize| [&[TRUE, RET][..], &vec![ONE; n - 2]].concat();
        let mut prices = (Vec::new(), Vec::new());
        for n in 2..=48 {
            let calls = [
                self.create("a", &filled(n)),
                self.write(1, &[TRUE]),
                self.read_at(1),
            ];
            prices.0.push(self.meter.prices(&calls).await[2].units);
            prices.1.push(self.read(&[], &filled(n)).await.0.units);
        }
        let limit = |list: &[u64]| {
            let last = list.iter().rposition(|units| Some(units) != list.last());
            last.map_or(0, |at| at as u64 + 2)
        };
        self.prices.gate_word_bytes = limit(&prices.0);
        self.prices.content_word_bytes = limit(&prices.1);
    }

    async fn set(&mut self, name: &str, setup: &[Call], before: &[u8], code: &[u8]) -> Price {
        let byte = self
            .price_of(setup, before, code, Mode::Byte)
            .await
            .expect("any length");
        let word = self.price_of(setup, before, code, Mode::Word).await;
        let row = self.row(name);
        row.byte = row.byte.max(byte.units);
        row.word = row.word.max(word.unwrap_or(byte).units);
        row.bytes = row.bytes.max(byte.bytes);
        byte
    }

    /// An instruction that goes on to the next one.
    async fn plain(&mut self, row: &Instr) {
        let name = row.mnemonic;
        if name == "STATE" {
            return self.states().await;
        }
        let data = |bytes: &[u8]| [&[0x0C, bytes.len() as u8][..], bytes].concat();
        let mut setup = Vec::new();
        let below = match name {
            // A byte string of two bytes, index 0, count 1.
            "SUBSTR" => vec![TWO, 0x10, ONE],
            "FIND" | "SHA256" => data(b"a"),
            "PAY" => number(AMOUNT),
            "CSIZE" => {
                setup.push(self.create_content());
                data(&[5; 32])
            }
            // A key, an empty one, and a value.
            "WRITE" => [data(b"v"), data(b"k")].concat(),
            "READ" => data(b"k"),
            _ => vec![0x10, ONE, ONE, TWO, ONE],
        };
        let operand = match row.operand {
            Operand::Int(size) => vec![1; size],
            Operand::Data(size) => [vec![3], vec![0; size - 1], b"abc".to_vec()].concat(),
            Operand::Id => vec![5; 32],
            Operand::Locator => vec![3, 1, 2, 3],
            Operand::None | Operand::Offset | Operand::State | Operand::Blocks => vec![],
        };
        let code = [&[row.byte][..], &operand].concat();
        self.set(name, &setup, &below, &code).await;
        if let Operand::Int(size) = row.operand {
            let negative = [&[row.byte][..], &vec![0xFF; size]].concat();
            self.set(name, &[], &below, &negative).await;
        }
        match name {
            // One byte each of key and value were the operands'.
            "WRITE" => self.row(name).bytes -= 2,
            "READ" => {
                let kept = [data(b"v"), data(b"k"), vec![0xFE], data(b"k")].concat();
                self.set(name, &[], &kept, &code).await;
            }
            "PAY" => {
                // A second payment finds entries, which takes more units and fewer bytes.
                let again = [number(AMOUNT), vec![row.byte], number(AMOUNT)].concat();
                self.set(name, &[], &again, &code).await;
                // Seconds since 1970 take a byte more from 2038 on.
                self.row(name).bytes += 1;
            }
            "SHA256" => {
                // Any other item is made a byte string first; so it is where the contract takes one.
                let known = self.row(name).byte;
                let other = self.price_of(&[], &[ONE], &code, Mode::Byte).await;
                self.prices.to_bytes = other.expect("any length").units - known;
            }
            "TIME" | "BALANCE" => {
                let paid = [number(AMOUNT), vec![0xED, ONE]].concat();
                self.set(name, &[], &paid, &code).await;
            }
            _ => {}
        }
    }

    async fn states(&mut self) {
        for (state, ..) in STATES {
            let code = [0xEA, *state];
            // Somebody on the include list, who costs no less than somebody who is not.
            let before = [ONE, 0xF8];
            let byte = self
                .price_of(&[], &before, &code, Mode::Byte)
                .await
                .expect("any length");
            let word = self
                .price_of(&[], &before, &code, Mode::Word)
                .await
                .unwrap_or(byte);
            self.prices.states[usize::from(*state)] = Modes {
                word: word.units,
                byte: byte.units,
            };
        }
        let all = self.prices.states;
        let row = self.row("STATE");
        row.word = all.iter().map(|m| m.word).max().unwrap_or(0);
        row.byte = all.iter().map(|m| m.byte).max().unwrap_or(0);
    }

    async fn authors(&mut self) {
        // A long gate's author is compared byte by byte; the owner, who reads here, is the dearest.
        let mut prices = Vec::new();
        for gate in [
            vec![TRUE],
            self.shaped(&[TRUE], Mode::Byte).expect("any length"),
        ] {
            let script = self
                .shaped(&[0xEA, 3, RET], Mode::Byte)
                .expect("any length");
            let calls = [
                self.create("a", &[TRUE]),
                self.write(1, &script),
                self.replace_gate(1, &gate),
                self.read_at(1),
            ];
            let price = self.meter.prices(&calls).await[3].units;
            let mode = if gate.len() == 1 {
                Mode::Word
            } else {
                Mode::Byte
            };
            let start = super::measure::pick(self.prices.start, mode);
            let end = if mode == Mode::Byte {
                self.units("RET", mode)
            } else {
                self.prices.end.word
            };
            prices.push(price - self.units("PUSHT", mode) - start - end);
        }
        self.prices.long_author = prices[1] - prices[0];
    }

    async fn jumps(&mut self) {
        self.set("JMP", &[], &[], &[0x22, 2]).await;
        self.set("JMPIFNOT", &[], &[TRUE], &[0x26, 2]).await;
        for mode in MODES {
            let taken = self.price_of(&[], &[FALSE], &[0x26, 2], mode).await;
            match (mode, taken) {
                (Mode::Word, Some(price)) => self.prices.jump_taken.word = price.units,
                (Mode::Byte, Some(price)) => self.prices.jump_taken.byte = price.units,
                (_, None) => {}
            }
        }
        if self.prices.content_word_bytes == 0 {
            self.prices.jump_taken.word = self.prices.jump_taken.byte;
        }
    }

    /// Starting, ending, and what is left. The start of the cheaper mode counts as the method's.
    async fn ends(&mut self) {
        let mut bases = [0, 0];
        for (base, mode) in bases.iter_mut().zip(MODES) {
            // With a `JMP` over the filler the long script runs past its last byte too.
            let script = match (mode, self.shaped(&[TRUE], mode)) {
                (_, None) => continue,
                (Mode::Word, Some(script)) => script,
                (Mode::Byte, Some(_)) => [&[0x22, 50][..], &[ONE; 48], &[TRUE]].concat(),
            };
            let (price, fault) = self.read(&[], &script).await;
            assert_eq!(fault, None);
            let mut known = self.units("PUSHT", mode);
            if mode == Mode::Byte {
                known += self.units("JMP", mode);
            }
            *base = price.units - known;
        }
        let [word, byte] = bases;
        let least = if word == 0 { byte } else { word.min(byte) };
        self.prices.start = Modes {
            word: word.saturating_sub(least),
            byte: byte - least,
        };
        self.prices.end = Modes::default();
        for mode in MODES {
            for (name, op) in [("RET", RET), ("OK", 0xE8), ("FAIL", 0xE9)] {
                let before: &[u8] = if name == "RET" { &[TRUE] } else { &[] };
                let Some(script) = self.shaped(&[before, &[op]].concat(), mode) else {
                    continue;
                };
                let (price, fault) = self.read(&[], &script).await;
                assert_eq!(fault, None);
                let start = super::measure::pick(self.prices.start, mode);
                let known = least + start + before.len() as u64 * self.units("PUSHT", mode);
                self.set_units(name, mode, price.units.saturating_sub(known));
            }
            if let Some(price) = self.until_throw(&[], &[], mode).await {
                let start = super::measure::pick(self.prices.start, mode);
                let known = least + start + self.units("PUSH1", mode);
                self.set_units("THROW", mode, price.units.saturating_sub(known));
            }
        }
        let left = |n: usize| [&vec![ONE; n][..], &[RET]].concat();
        let long = |n: usize| self.shaped(&left(n), Mode::Byte).expect("any length");
        let mut taken = Vec::new();
        for n in 1..=3 {
            taken.push(self.read(&[], &long(n)).await.0.units);
        }
        // The first turn of a loop may cost more than the others, or less.
        let push = self.units("PUSH1", Mode::Byte);
        let more = taken.windows(2).map(|pair| pair[1] - pair[0] - push);
        self.prices.leftover = more.max().unwrap_or(0);
    }

    fn set_units(&mut self, name: &str, mode: Mode, units: u64) {
        let is_last = self.prices.content_word_bytes == 0;
        let row = self.row(name);
        match mode {
            Mode::Word => row.word = units,
            Mode::Byte => row.byte = units,
        }
        if is_last {
            row.word = row.byte;
        }
    }

    async fn writing(&self, script: &[u8]) -> u64 {
        let calls = [self.create("a", &[TRUE]), self.write(1, script)];
        self.meter.prices(&calls).await[1].units
    }

    /// The checker's price of each instruction, and of jumps that are on their way.
    async fn checks(&mut self) {
        let below = [0x10, ONE, ONE, TWO];
        let base = self.writing(&below).await;
        for row in TABLE {
            let operand = match row.operand {
                Operand::Blocks | Operand::Offset => continue,
                Operand::None => vec![],
                Operand::Int(size) => vec![1; size],
                Operand::Data(size) => [vec![3], vec![0; size - 1], b"abc".to_vec()].concat(),
                Operand::State => vec![3],
                Operand::Id => vec![5; 32],
                Operand::Locator => vec![3, 1, 2, 3],
            };
            let script = [&below[..], &[row.byte], &operand].concat();
            let mut units = self.writing(&script).await - base;
            if let Operand::Data(size) = row.operand {
                let empty = [&below[..], &[row.byte], &vec![0; size]].concat();
                units = units.max(self.writing(&empty).await - base);
            }
            self.row(row.mnemonic).check = units;
        }
        let one = self.row("PUSH1").check;
        for (name, op) in [("JMP", 0x22), ("JMPIFNOT", 0x26)] {
            // To the next instruction; over one; both to the same.
            let near = self.writing(&[&below[..], &[op, 2, ONE]].concat()).await - base - one;
            let far = self
                .writing(&[&below[..], &[op, 3, ONE, ONE]].concat())
                .await
                - base
                - 2 * one;
            let twice = self
                .writing(&[&below[..], &[op, 4, op, 2, ONE]].concat())
                .await
                - base
                - one;
            let waiting = far - near;
            let second = twice - near - waiting;
            self.prices.check_waiting = self.prices.check_waiting.max(waiting);
            let arrival = (near - waiting).saturating_sub(second);
            self.prices.check_target = self.prices.check_target.max(arrival);
            self.row(name).check = second.max(near - waiting - arrival);
        }
    }

    /// What depends on who pays, and what scripts that run inside of others cost.
    async fn by_state(&mut self) {
        let paying = |op: u8| [number(AMOUNT), vec![op]].concat();
        let drop = self.units("DROP", Mode::Byte);
        // Box 1 got SOUL by its own content; box 2's gate charges it, once or twice.
        let rich = [number(AMOUNT * 8), vec![0xED]].concat();
        for before in [vec![], paying(0xED)] {
            let mut both = Vec::new();
            for op in [0xED, DROP] {
                let gate = [&before[..], &paying(op), &[TRUE]].concat();
                let gate = self.shaped(&gate, Mode::Byte).expect("any length");
                // Writing must not be charged for, or the entries that the payment makes were there already.
                let setup = [
                    self.create("b", &[TRUE]),
                    self.write_plain(2),
                    self.replace_gate(2, &gate),
                ];
                let code = [&rich[..], &[TWO, 0xF3]].concat();
                let price = self.until_throw(&setup, &code, Mode::Byte).await;
                both.push(price.expect("any length"));
            }
            let price = minus(both[0], both[1]);
            let price = Price {
                units: price.units + drop,
                // As for an account that pays.
                bytes: price.bytes + 1,
            };
            self.prices.pay_by_box = most(self.prices.pay_by_box, price);
        }
        let mut units = Vec::new();
        for op in [0xED, DROP] {
            let gate = [&paying(op)[..], &[TRUE]].concat();
            let gate = self.shaped(&gate, Mode::Byte).expect("any length");
            let calls = [
                self.create("a", &gate),
                self.write_plain(1),
                self.inspect(1),
            ];
            units.push(self.meter.prices(&calls).await[2]);
        }
        let price = minus(units[0], units[1]);
        self.prices.pay_asked = Price {
            units: price.units + drop,
            bytes: price.bytes,
        };
    }

    async fn visits(&mut self) {
        let gate = self.script(&["PUSHT"], true);
        let content = self.script(&["PUSHT"], false);
        let check = self.row("PUSHT").check;
        let one = vec![self.create("b", &[TRUE])];
        let two = [&one[..], &[self.write_plain(2), self.write_plain(2)]].concat();
        let script = [0x0C, 1, TRUE];
        let to_two = [&script[..], &[TWO]].concat();
        // Somebody else's content in a box of ours, whose owner is asked for then.
        let strange = [&one[..], &[self.write_by(&self.meter.other, 2)]].concat();

        let later = self.set("PUSH", &two, &to_two, &[0xF2]).await;
        // The new content's one byte is not its own, nor that of its index; the count of contents may grow by one.
        self.prices.push_later = Price {
            bytes: later.bytes - 1,
            ..less(later, gate + check)
        };
        let row = self.row("PUSH");
        *row = Row {
            name: row.name,
            check: row.check,
            ..Row::default()
        };
        self.set("PUSH", &one, &to_two, &[0xF2]).await;
        self.settle("PUSH", gate + check, 1);
        // A count may take a byte more than here, and then pays for it.
        self.set("PULL", &two, &[TWO], &[0xF3]).await;
        self.settle("PULL", gate + content, 0);
        self.row("PULL").bytes += 1;
        self.set("INSPECT", &two, &[TWO], &[0xF4]).await;
        self.settle("INSPECT", gate + content, 0);
        self.set("DELETE", &two, &[TWO], &[0xF5]).await;
        self.set("DELETE", &strange, &[TWO], &[0xF5]).await;
        self.settle("DELETE", gate, 0);
        self.row("DELETE").bytes += 1;
        self.set("REPLACE", &two, &to_two, &[0xF6]).await;
        self.set("REPLACE", &strange, &to_two, &[0xF6]).await;
        // 21 bytes over 21.
        self.settle("REPLACE", gate + check, (21 - 1) / 4 + 1);
        self.calls_of_older(gate, content).await;
        self.settle_answers().await;
    }

    /// Gates inside of others were asked in one way only: adds what another answer, and asking for the cost, take more.
    async fn settle_answers(&mut self) {
        let mut answers = Vec::new();
        for (gate, name) in ANSWERS {
            let calls = [self.create("a", gate), self.write_plain(1), self.read_at(1)];
            let known = self.gate_of(gate.len(), name);
            answers.push(self.meter.prices(&calls).await[2].units - known);
        }
        let more = answers.iter().max().copied().unwrap_or(0) - answers[0];
        let mut asked = Vec::new();
        for code in [&[TWO, 0xF4][..], &[TWO]] {
            let setup = [self.create("b", &[TRUE]), self.write_plain(2)];
            let mut calls = vec![self.create("a", &[TRUE])];
            calls.extend(setup);
            calls.extend([self.write(1, code), self.inspect(1), self.read_at(1)]);
            let prices = self.meter.prices(&calls).await;
            asked.push((prices[4].units, prices[5].units));
        }
        let asking = asked[0].0 - asked[1].0;
        let reading = asked[0].1 - asked[1].1;
        let more = more + asking.saturating_sub(reading);
        for name in VISITS {
            let row = self.row(name);
            row.word += more;
            row.byte += more;
        }
        self.prices.push_later.units += more;
    }

    /// Takes off a row what the scripts inside took, and bytes that depend on operands.
    fn settle(&mut self, name: &str, units: u64, bytes: u64) {
        let row = self.row(name);
        row.word -= units;
        row.byte -= units;
        row.bytes -= bytes.min(row.bytes);
    }

    /// `CALL` in box 2 of box 1.
    async fn calls_of_older(&mut self, gate: u64, content: u64) {
        let mut found = Vec::new();
        for (gate, inputs) in [
            (TRUE, 0u8),
            (TRUE, 1),
            (TRUE, 4),
            (FALSE, 0),
            (FALSE, 1),
            (FALSE, 4),
        ] {
            let mut both = Vec::new();
            for code in [&[0xF7][..], &[]] {
                let script = [
                    &vec![ONE; 4][..],
                    &[0x10 + inputs, 0x10, ONE],
                    code,
                    &[ONE, 0x3A],
                ]
                .concat();
                let script = self.shaped(&script, Mode::Byte).expect("any length");
                let calls = [
                    self.create("a", &[TRUE]),
                    self.write_plain(1),
                    self.replace_gate(1, &[gate]),
                    self.create("b", &[TRUE]),
                    self.write(2, &script),
                    self.read_at(2),
                ];
                let metered = self.meter.run(&calls).await;
                assert_eq!(metered.prices.len(), calls.len(), "{:?}", metered.fault);
                both.push(*metered.prices.last().expect("a call"));
            }
            found.push(minus(both[0], both[1]).units);
        }
        let leftover = self.prices.leftover;
        let each = |none: usize, left: u64| {
            let one = found[none + 1] - found[none];
            let more = (found[none + 2] - found[none + 1]).div_ceil(3);
            one.max(more).saturating_sub(left)
        };
        self.prices.call_input = each(0, leftover).max(each(3, 0));
        let units = (found[0] - gate - content).max(found[3].saturating_sub(gate));
        // Stopping and going on is what the modes differ in, as for any instruction of the contract.
        let (word, byte) = (
            self.units("COUNT", Mode::Word),
            self.units("COUNT", Mode::Byte),
        );
        let row = self.row("CALL");
        (row.word, row.byte) = ((units + word).saturating_sub(byte), units);
    }

    fn create_content(&self) -> Call {
        let owner = self.meter.owner.hash.into();
        let root = vec![5u8; 32];
        call(
            "createContent",
            vec![
                owner,
                root[..].into(),
                1u64.into(),
                0u64.into(),
                0u64.into(),
                1u64.into(),
                u64::MAX.into(),
            ],
        )
    }

    fn replace_gate(&self, id: u64, gate: &[u8]) -> Call {
        call("replaceGate", vec![id.into(), gate.into()])
    }

    pub(super) fn inspect(&self, id: u64) -> Call {
        let caller = self.meter.owner.hash.into();
        call("inspectContent", vec![caller, id.into()])
    }

    /// A content that gives true, written to a box.
    pub(super) fn write_plain(&self, id: u64) -> Call {
        self.write(id, &[TRUE])
    }

    /// The same by somebody.
    pub(super) fn write_by(&self, author: &EmulatedAccount, id: u64) -> Call {
        let script: &[u8] = &[TRUE];
        call(
            "writeContent",
            vec![
                author.hash.into(),
                id.into(),
                script.into(),
                u64::MAX.into(),
            ],
        )
    }
}

/// `PUSHINT64`.
pub(super) fn number(value: u64) -> Vec<u8> {
    [&[0x03][..], &value.to_le_bytes()].concat()
}
