//! The rows of instructions that run scripts of another box.

use phantasma_vm::bound::prices::{Price, Row};

use super::instructions::VISITS;
use super::measure::{FALSE, Measure, Mode, ONE, TRUE, TWO, less, minus};
use super::methods::ANSWERS;

impl Measure {
    pub(super) async fn visits(&mut self) {
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
}
