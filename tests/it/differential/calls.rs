//! Makes calls up: mostly good ones, so that state grows, and each kind of bad one.

use neo_client::Hash160;
use neo_framework::chain::Account;
use phantasma_tests::NETWORK_MAGIC;
use phantasma_vm::{
    Flow, ID_BYTES, Instr, Operand, STATES, TABLE, assemble, data_script, validate,
};
use phantasma_wire::message::{Class, Unsigned};

use super::items::Arg;
use super::random::Random;
use super::sides::ACCOUNTS;

/// One transaction.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// Index of the account that signs, in [`ACCOUNTS`].
    pub(super) signer: usize,
    pub(super) method: &'static str,
    pub(super) args: Vec<Arg>,
}

/// Gates and contents written by hand.
const SCRIPTS: &[&str] = &[
    "PUSHT",
    "PUSHT",
    "STATE own",
    "STATE read\nSTATE own\nBOOLOR",
    "STATE write\nNOT",
    "STATE inspect",
    "STATE caller",
    "STATE this\nSTATE entry\nNUMEQUAL",
    "STATE caller\nSIZE",
    "FAIL",
    "PUSH 1\nOK",
    "RET",
    "PUSH \"why\"\nTHROW",
    "PUSH 7\nPUSH 0\nDIV",
    "PUSH \"abc\"\nSHA256",
    "PUSH \"ab\"\nPUSH \"cd\"\nCAT",
    "PUSH \"ab\"\nPUSH \"cd\"\nCAT\nINC",
    "STATE own\nJMPIFNOT other\nPUSH \"mine\"\nRET\nother: PUSH \"theirs\"",
    "PUSH 1\nPUSH 2\nPUSH 3\nPUSH 9\nPICK",
    "PUSH 1\nPUSH 2\nPUSH 3\nPUSH 2\nROLL",
    "PUSHINT256 -5\nPUSHINT128 7\nMUL\nPUSHINT16 -300\nMOD",
];

/// Gates and contents that need the contract; most boxes of the test have a number below 8.
const HOST_SCRIPTS: &[&str] = &[
    "PUSH 2",
    "STATE member",
    "STATE content\nSIZE\nPAY\nOK",
    "PUSH 1000\nPAY\nPUSH 2",
    "STATE write\nJMPIFNOT ok\nPUSH 77\nPAY\nok: OK",
    "TIME\nPUSH 3\nGT\nJMPIFNOT paid\nPUSH 500\nPAY\npaid: OK",
    "PUSH \"n\"\nREAD\nINC\nPUSH \"n\"\nWRITE\nOK",
    "PUSH \"n\"\nREAD",
    "PUSH \"\"\nPUSH \"n\"\nWRITE",
    "PUSH 1\nINCLUDE\nDROP\nOK",
    "PUSH 2\nINCLUDE",
    "PUSH 1\nEXCLUDE\nDROP\nPUSH 2\nEXCLUDE",
    "PUSH 1\nBALANCE\nPUSH 2\nBALANCE\nADD",
    "PUSH 1\nCOUNT\nPUSH 1\nNAME\nCAT",
    "PUSH \"box_7\"\nFIND\nCOUNT",
    "PUSH \"posted\"\nPUSH 1\nPUSH",
    "PUSH 0x0c0568656c6c6f\nPUSH 1\nPUSH",
    "PUSH 0xea09\nPUSH 2\nPUSH\nDROP\nOK",
    "PUSH 0xea0a\nPUSH 1\nREPLACE",
    "PUSH 1\nPULL",
    "PUSH 2\nPULL\nDROP\nOK",
    "PUSH 3\nINSPECT",
    "PUSH 1\nDELETE",
    "PUSH 2\nDELETE\nDROP\nOK",
    "PUSH 5\nPUSH 7\nPUSH 2\nPUSH 0\nPUSH 1\nCALL",
    "PUSH 0\nPUSH 1\nPUSH 2\nCALL",
    "PUSH 2\nPULL\nDROP\nPUSH 1\nPUSH \"n\"\nWRITE\nFAIL",
];

pub(super) struct Generator {
    random: Random,
    contract: Hash160,
    accounts: Vec<Account>,
    sequence: u64,
}

impl Generator {
    pub(super) fn new(seed: u64, contract: Hash160) -> Generator {
        let accounts = ACCOUNTS.iter().map(|name| Account::named(name)).collect();
        Generator {
            random: Random(seed),
            contract,
            accounts,
            sequence: 0,
        }
    }

    /// Gives everybody but the last account a thousand SOUL.
    pub(super) fn funding(&self) -> Vec<Call> {
        let amount = Arg::Int(1000_0000_0000);
        let args = |to| vec![self.account(0), self.account(to), amount.clone(), Arg::Null];
        let send = |to| Call {
            signer: 0,
            method: "transfer",
            args: args(to),
        };
        (1..3).map(send).collect()
    }

    /// A few calls that go through: box 1 is the first account's and takes SOUL, box 2 the second's and open.
    pub(super) fn opening(&self) -> Vec<Call> {
        let script = |text: &str| Arg::Bytes(assemble(text).unwrap());
        let int = Arg::Int;
        let call = |signer, method, args: Vec<Arg>| Call {
            signer,
            method,
            args,
        };
        let named = |owner: usize, name: &[u8], gate: &str| {
            let name = Arg::Bytes(name.to_vec());
            vec![self.account(owner), name, self.key(owner), script(gate)]
        };
        let toll = "PUSH 100\nPAY\nPUSH 2";
        let write = |id, text: &str| vec![self.account(1), int(id), script(text), int(900)];
        let read = |id| vec![self.account(2), int(id), int(900)];
        // Reads the first box from the second, for the second's SOUL.
        let resell = "PUSH 1\nPULL\nPUSH \"k\"\nWRITE\nPUSH \"k\"\nREAD";
        let mut calls = vec![
            call(0, "createBox", named(0, b"toll", toll)),
            call(1, "createBox", named(1, b"till", toll)),
        ];
        for text in [
            "PUSH \"goods\"",
            "STATE caller",
            "PUSH 7\nPUSH 0\nPICK\nADD",
        ] {
            calls.push(call(1, "writeContent", write(1, text)));
        }
        let call_args = vec![
            self.account(2),
            int(1),
            int(2),
            Arg::List(vec![int(1)]),
            int(900),
        ];
        let root: String = "07".repeat(32);
        let alloc = format!("ALLOC 262145 0x{root} 0x{root}\nCSIZE");
        let dear = vec![self.account(1), int(2), script(&alloc), int(1 << 60)];
        calls.extend([
            call(2, "callContent", call_args),
            call(2, "readContent", read(1)),
            call(1, "writeContent", write(2, resell)),
            call(2, "inspectContent", vec![self.account(2), int(2)]),
            call(2, "readContent", read(2)),
            call(1, "writeContent", dear),
            call(2, "readContent", read(2)),
            call(0, "withdraw", vec![int(1), int(5)]),
            call(0, "replaceGate", vec![int(1), script(toll)]),
            call(0, "include", vec![int(1), self.account(3)]),
            call(0, "exclude", vec![int(1), self.account(3)]),
            call(1, "replaceContent", write(1, "PUSH 1")),
        ]);
        calls.push(call(0, "deleteContent", vec![self.account(0), int(2)]));
        calls
    }

    /// The next call of a sequence. Early sequences make boxes, later ones mostly use them.
    pub(super) fn call(&mut self, sequence: usize) -> Call {
        let signer = self.random.below(self.accounts.len());
        // One witness in eight is of somebody else.
        let actor = if self.random.one_in(8) {
            self.random.below(self.accounts.len())
        } else {
            signer
        };
        let kind = if sequence == 0 && self.random.one_in(2) {
            3
        } else {
            self.random.below(24)
        };
        let (method, mut args) = match kind {
            0..=2 => self.transfer(actor),
            3..=4 => self.create_box(actor),
            5..=7 => self.write(actor),
            8..=10 => self.read(actor),
            11 => self.write_signed(),
            12 => self.create_content(actor),
            13..=15 => self.pull(actor),
            16..=17 => self.change(actor),
            18..=19 => self.manage(),
            20 => self.call_content(actor),
            _ => self.look(),
        };
        if self.random.one_in(10) && !args.is_empty() {
            let at = self.random.below(args.len());
            args[at] = self.odd_argument();
        }
        Call {
            signer,
            method,
            args,
        }
    }

    pub(super) fn account(&self, at: usize) -> Arg {
        Arg::Bytes(self.accounts[at].hash.as_bytes().as_slice().to_vec())
    }

    fn any_account(&mut self) -> Arg {
        let at = self.random.below(self.accounts.len());
        self.account(at)
    }

    pub(super) fn key(&self, at: usize) -> Arg {
        Arg::Bytes(self.accounts[at].public_key.as_bytes().as_slice().to_vec())
    }

    fn box_id(&mut self) -> Arg {
        let last = if self.random.one_in(12) { 60 } else { 8 };
        Arg::Int(self.random.below(last) as i128)
    }

    fn transfer(&mut self, from: usize) -> (&'static str, Vec<Arg>) {
        let amount = match self.random.below(8) {
            0 => -1,
            1 => 0,
            2 => 1 << 90,
            _ => i128::from(self.random.next() % 50_0000_0000),
        };
        let to = if self.random.one_in(12) {
            Arg::Bytes(self.contract.0.to_vec())
        } else {
            self.any_account()
        };
        let mut args = vec![self.account(from), to, Arg::Int(amount)];
        if !self.random.one_in(3) {
            args.push(self.random.pick(&[
                Arg::Null,
                Arg::Int(5),
                Arg::List(vec![Arg::Bool(true)]),
            ]));
        }
        ("transfer", args)
    }

    fn create_box(&mut self, owner: usize) -> (&'static str, Vec<Arg>) {
        let name = match self.random.below(10) {
            0 => self.random.pick(&[
                vec![],
                b"A".to_vec(),
                "é".as_bytes().to_vec(),
                vec![b'a'; 33],
                b"a b".to_vec(),
            ]),
            1 => vec![b'z'; 32],
            _ => format!("box_{}", self.random.below(60)).into_bytes(),
        };
        let key_of = if self.random.one_in(12) {
            self.random.below(self.accounts.len())
        } else {
            owner
        };
        let gate = if self.random.one_in(2) {
            data_script(b"\x01").unwrap()
        } else {
            self.script()
        };
        (
            "createBox",
            vec![
                self.account(owner),
                Arg::Bytes(name),
                self.key(key_of),
                Arg::Bytes(gate),
            ],
        )
    }

    fn write(&mut self, caller: usize) -> (&'static str, Vec<Arg>) {
        let script = self.script();
        (
            "writeContent",
            vec![
                self.account(caller),
                self.box_id(),
                Arg::Bytes(script),
                self.max_payment(),
            ],
        )
    }

    fn read(&mut self, caller: usize) -> (&'static str, Vec<Arg>) {
        let index = Arg::Int(self.random.below(5) as i128 - i128::from(self.random.one_in(10)));
        (
            "readContentAt",
            vec![
                self.account(caller),
                self.box_id(),
                index,
                self.max_payment(),
            ],
        )
    }

    fn max_payment(&mut self) -> Arg {
        Arg::Int(self.random.pick(&[0, 0, 600, 5000, 5000, 1 << 60, -1]))
    }

    fn pull(&mut self, caller: usize) -> (&'static str, Vec<Arg>) {
        let (caller, id) = (self.account(caller), self.box_id());
        if self.random.one_in(4) {
            return ("inspectContent", vec![caller, id]);
        }
        ("readContent", vec![caller, id, self.max_payment()])
    }

    fn change(&mut self, caller: usize) -> (&'static str, Vec<Arg>) {
        let (caller, id) = (self.account(caller), self.box_id());
        if self.random.one_in(2) {
            return ("deleteContent", vec![caller, id]);
        }
        let content = Arg::Bytes(self.script());
        (
            "replaceContent",
            vec![caller, id, content, self.max_payment()],
        )
    }

    /// What only the box's owner can do; the first signer owns most boxes that there are.
    fn manage(&mut self) -> (&'static str, Vec<Arg>) {
        let id = self.box_id();
        match self.random.below(5) {
            0 => ("replaceGate", vec![id, Arg::Bytes(self.script())]),
            1 | 2 => ("include", vec![id, self.any_account()]),
            3 => ("exclude", vec![id, self.any_account()]),
            _ => {
                let amount = self.random.pick(&[1, 60, 400, 100_000, 0, -1]);
                ("withdraw", vec![id, Arg::Int(amount)])
            }
        }
    }

    fn call_content(&mut self, caller: usize) -> (&'static str, Vec<Arg>) {
        let inputs = (0..self.random.below(4))
            .map(|n| Arg::Int(n as i128))
            .collect();
        let index = Arg::Int(self.random.below(4) as i128);
        let args = vec![
            self.account(caller),
            self.box_id(),
            index,
            Arg::List(inputs),
            self.max_payment(),
        ];
        ("callContent", args)
    }

    fn write_signed(&mut self) -> (&'static str, Vec<Arg>) {
        let author = self.random.below(self.accounts.len());
        let id = self.random.below(8) as u64;
        self.sequence += 1;
        let sequence = if self.random.one_in(4) {
            self.sequence.saturating_sub(3)
        } else {
            self.sequence
        };
        let class = if self.random.one_in(5) {
            self.random.below(4) as u8
        } else {
            2
        };
        let time = self.random.next() >> 1;
        let payload = self.script();
        let message = self.signed_bytes(author, [id, sequence, time], class, &payload);
        let mut signature = self.accounts[author]
            .sign(&message)
            .as_bytes()
            .as_slice()
            .to_vec();
        if self.random.one_in(5) {
            signature[9] ^= 1;
        }
        let number = |n: u64| Arg::Int(i128::from(n));
        let numbers = [
            number(id),
            number(sequence),
            number(time),
            Arg::Int(i128::from(class)),
        ];
        let args = [
            vec![self.key(author)],
            numbers.to_vec(),
            vec![Arg::Bytes(payload), Arg::Bytes(signature)],
        ];
        ("writeSigned", args.concat())
    }

    /// The signing bytes as `wire` makes them: contract and relay must agree.
    fn signed_bytes(&self, author: usize, numbers: [u64; 3], class: u8, payload: &[u8]) -> Vec<u8> {
        let [box_id, sequence, time_ms] = numbers;
        let body = Unsigned {
            network: NETWORK_MAGIC,
            contract: self.contract.0,
            author: self.accounts[author].public_key.to_array(),
            box_id,
            sequence,
            time_ms,
            class: Class::from_byte(class).unwrap_or(Class::Durable),
            payload: payload.to_vec().into(),
        };
        body.signing_bytes().to_vec()
    }

    fn create_content(&mut self, owner: usize) -> (&'static str, Vec<Arg>) {
        let root = vec![self.random.below(20) as u8; if self.random.one_in(12) { 31 } else { 32 }];
        let size = match self.random.below(10) {
            0 => self.random.pick(&[0, -1, 1 << 40, (1 << 40) + 1]),
            _ => self.random.pick(&[1, 262_144, 262_145, 5_000_000, 77_777]),
        };
        let numbers = [
            size,
            self.random.below(2) as i128 + i128::from(self.random.one_in(12)),
            self.random.below(3) as i128 - i128::from(self.random.one_in(12)),
            self.random.pick(&[1, 1, 2, 3, 12, 1200, 0, 1201]),
            self.random
                .pick(&[1 << 70, 1 << 70, 1 << 70, 1 << 70, 0, 100_0000]),
        ];
        let args = [
            vec![self.account(owner), Arg::Bytes(root)],
            numbers.map(Arg::Int).to_vec(),
        ]
        .concat();
        ("createContent", args)
    }

    fn look(&mut self) -> (&'static str, Vec<Arg>) {
        match self.random.below(14) {
            12 => ("isMember", vec![self.box_id(), self.any_account()]),
            13 => ("boxBalance", vec![self.box_id()]),
            0 => (
                self.random.pick(&[
                    "name",
                    "symbol",
                    "decimals",
                    "totalSupply",
                    "settings",
                    "boxCount",
                ]),
                vec![],
            ),
            1 | 2 => ("balanceOf", vec![self.any_account()]),
            3 | 4 => ("boxInfo", vec![self.box_id()]),
            5 => {
                let name = format!("box_{}", self.random.below(60)).into_bytes();
                ("findBox", vec![Arg::Bytes(name)])
            }
            6 => ("boxesOf", vec![self.any_account()]),
            7 => {
                let author = self.random.below(self.accounts.len());
                ("lastSequence", vec![self.box_id(), self.key(author)])
            }
            8 | 9 => {
                let index = Arg::Int(self.random.below(4) as i128);
                ("contentAt", vec![self.box_id(), index])
            }
            10 => ("contentCount", vec![self.box_id()]),
            _ => (
                "contentInfo",
                vec![Arg::Bytes(vec![self.random.below(20) as u8; 32])],
            ),
        }
    }

    /// Something that does not belong there.
    fn odd_argument(&mut self) -> Arg {
        match self.random.below(9) {
            0 => Arg::Null,
            1 => Arg::Bool(self.random.one_in(2)),
            2 => Arg::Int(-(self.random.below(1000) as i128)),
            3 => Arg::Int(i128::MAX),
            4 => Arg::Int((1 << 32) + 1),
            5 => Arg::List(vec![Arg::Int(1)]),
            6 => Arg::Bytes(vec![]),
            7 => Arg::Bytes(self.random.bytes(19)),
            _ => Arg::Bytes(self.random.bytes(33)),
        }
    }

    /// A script: by hand, data, a random valid one, a damaged one, or noise.
    fn script(&mut self) -> Vec<u8> {
        match self.random.below(10) {
            0 => {
                let length = self.random.below(40);
                data_script(&self.random.bytes(length)).unwrap()
            }
            1 => {
                let length = self.random.below(12);
                self.random.bytes(length)
            }
            2 => {
                let mut script = self.random_script();
                let at = self.random.below(script.len());
                script[at] ^= 1 << self.random.below(8);
                script
            }
            3 => {
                let script = self.random_script();
                script[..self.random.below(script.len())].to_vec()
            }
            4..=6 => self.random_script(),
            7 => assemble(self.random.pick(SCRIPTS)).unwrap(),
            _ => assemble(self.random.pick(HOST_SCRIPTS)).unwrap(),
        }
    }

    fn random_script(&mut self) -> Vec<u8> {
        self.script_of(TABLE)
    }

    /// A valid script of instructions that NeoVM has too.
    pub(super) fn neo_script(&mut self) -> Vec<u8> {
        let rows: Vec<Instr> = TABLE
            .iter()
            .filter(|row| row.neo().is_some())
            .copied()
            .collect();
        self.script_of(&rows)
    }

    /// Random instructions, of which those are kept that leave the script valid.
    fn script_of(&mut self, rows: &[Instr]) -> Vec<u8> {
        let is_push = |row: &&Instr| row.pops == 0 && row.flow == Flow::Next;
        let pushes: Vec<Instr> = rows.iter().filter(is_push).copied().collect();
        let mut script = vec![0x12, 0x13];
        for _ in 0..self.random.below(24) {
            let list = if self.random.one_in(3) { &pushes } else { rows };
            let row = self.random.pick(list);
            let longer = [script.clone(), self.instruction(row)].concat();
            let padded = [longer.clone(), vec![0x11, 0x11]].concat();
            if validate(&longer).is_ok() {
                script = longer;
            } else if validate(&padded).is_ok() {
                script = padded;
            }
        }
        script
    }

    fn instruction(&mut self, row: Instr) -> Vec<u8> {
        let operand = match row.operand {
            Operand::None => vec![],
            Operand::Int(size) => self.random.bytes(size),
            Operand::Data(size) => {
                let length = self.random.below(6);
                let data = self.random.bytes(length);
                [&data.len().to_le_bytes()[..size], &data].concat()
            }
            Operand::Offset => vec![2 + self.random.below(2) as u8],
            Operand::State => loop {
                let state = self.random.pick(STATES);
                // The native chain has other random numbers than the node.
                if state.1 != "consensus" {
                    break vec![state.0];
                }
            },
            Operand::Id => self.random.bytes(ID_BYTES),
            Operand::Locator => {
                let data = self.random.bytes(3);
                [vec![3], data].concat()
            }
            // One block.
            Operand::Blocks => {
                let id = self.random.bytes(ID_BYTES);
                [vec![9, 0, 0, 0, 0, 0, 0, 0], id].concat()
            }
        };
        [vec![row.byte], operand].concat()
    }
}
