//! Builds NeoVM scripts: pushes of anything, contract calls, the scripts of accounts.

use neo_opcode::{MAX_ITEM_SIZE, Op, Syscall, asm};
use num_bigint::BigInt;

use crate::{ContractParam, Hash160, PublicKey};

/// What a called contract may do (flags add up).
pub mod flags {
    pub const READ_STATES: u8 = 1;
    pub const WRITE_STATES: u8 = 2;
    pub const ALLOW_CALL: u8 = 4;
    pub const ALLOW_NOTIFY: u8 = 8;
    pub const READ_ONLY: u8 = READ_STATES | ALLOW_CALL;
    pub const ALL: u8 = 15;
}

/// Most keys in a multisig account (neo-go `smartcontract.CreateMultiSigRedeemScript`).
pub const MAX_MULTISIG_KEYS: usize = 1024;
/// Arrays in arrays: far below NeoVM's 2048 stack items, far above any real call.
const MAX_PARAM_DEPTH: usize = 32;

/// Why a script cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScriptError {
    #[error("{bytes} bytes do not fit a stack item of NeoVM, which holds at most {MAX_ITEM_SIZE}")]
    DataTooLong { bytes: usize },
    #[error("the integer {value} needs more than NeoVM's 256 bits")]
    IntegerTooLarge { value: BigInt },
    #[error("\"{name}\" is no system call of NeoVM")]
    UnknownSyscall { name: String },
    #[error("arguments are nested deeper than {MAX_PARAM_DEPTH}")]
    TooDeep,
    #[error(
        "{required} of {keys} signatures is no multisig account: needs 1 ≤ required ≤ keys ≤ {MAX_MULTISIG_KEYS}"
    )]
    Multisig { required: usize, keys: usize },
}

/// Collects instructions; the first mistake is reported by [`ScriptBuilder::build`].
///
/// ```
/// use neo_client::{ContractParam, Hash160, ScriptBuilder, flags};
/// let mut script = ScriptBuilder::new();
/// script.call(&Hash160::ZERO, "transfer", flags::ALL, &[ContractParam::from(5)]);
/// let bytes = script.build()?;
/// # Ok::<(), neo_client::ScriptError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct ScriptBuilder {
    out: Vec<u8>,
    error: Option<ScriptError>,
}

impl ScriptBuilder {
    pub fn new() -> Self {
        Self::default()
    }

    /// The script, or what went wrong first.
    pub fn build(self) -> Result<Vec<u8>, ScriptError> {
        self.error.map_or(Ok(self.out), Err)
    }

    /// An instruction without operand.
    pub fn op(&mut self, op: Op) -> &mut Self {
        asm::op(&mut self.out, op);
        self
    }

    pub fn push_int(&mut self, value: &BigInt) -> &mut Self {
        if !asm::push_int_le(&mut self.out, &value.to_signed_bytes_le()) {
            self.fail(ScriptError::IntegerTooLarge {
                value: value.clone(),
            });
        }
        self
    }

    pub fn push_bool(&mut self, value: bool) -> &mut Self {
        self.op(if value { Op::PUSHT } else { Op::PUSHF })
    }

    pub fn push_bytes(&mut self, data: &[u8]) -> &mut Self {
        if !asm::push_data(&mut self.out, data) {
            self.fail(ScriptError::DataTooLong { bytes: data.len() });
        }
        self
    }

    /// Pushes any argument; arrays and maps become `PACK` and `PACKMAP` of their members.
    pub fn push(&mut self, param: &ContractParam) -> &mut Self {
        self.push_nested(param, 0)
    }

    /// Calls a service of the node by name, such as `System.Runtime.Notify`.
    pub fn syscall(&mut self, name: &str) -> &mut Self {
        match Syscall::by_name(name) {
            Some(call) => asm::syscall(&mut self.out, call),
            None => self.fail(ScriptError::UnknownSyscall {
                name: name.to_owned(),
            }),
        }
        self
    }

    /// Calls a method of a contract; `call_flags` bound what it may do. Leaves its result (Null for Void).
    pub fn call(
        &mut self,
        contract: &Hash160,
        method: &str,
        call_flags: u8,
        params: &[ContractParam],
    ) -> &mut Self {
        if params.is_empty() {
            self.op(Op::NEWARRAY0);
        } else {
            self.pack(params, 0);
        }
        self.push_int(&BigInt::from(call_flags))
            .push_bytes(method.as_bytes())
            .push_bytes(&contract.0);
        self.syscall("System.Contract.Call")
    }

    fn push_nested(&mut self, param: &ContractParam, depth: usize) -> &mut Self {
        if depth > MAX_PARAM_DEPTH {
            self.fail(ScriptError::TooDeep);
            return self;
        }
        match param {
            ContractParam::Any => self.op(Op::PUSHNULL),
            ContractParam::Boolean(value) => self.push_bool(*value),
            ContractParam::Integer(value) => self.push_int(value),
            ContractParam::ByteArray(data) => self.push_bytes(data),
            ContractParam::String(text) => self.push_bytes(text.as_bytes()),
            ContractParam::Hash160(hash) => self.push_bytes(&hash.0),
            ContractParam::Hash256(hash) => self.push_bytes(&hash.0),
            ContractParam::PublicKey(key) => self.push_bytes(&key.0),
            ContractParam::Signature(signature) => self.push_bytes(signature),
            ContractParam::Array(items) if items.is_empty() => self.op(Op::NEWARRAY0),
            ContractParam::Array(items) => self.pack(items, depth + 1),
            ContractParam::Map(entries) if entries.is_empty() => self.op(Op::NEWMAP),
            ContractParam::Map(entries) => {
                // PACKMAP takes the key from the top, then its value; the last pushed entry becomes the first.
                for (key, value) in entries.iter().rev() {
                    self.push_nested(value, depth + 1)
                        .push_nested(key, depth + 1);
                }
                self.push_int(&BigInt::from(entries.len())).op(Op::PACKMAP)
            }
        }
    }

    fn pack(&mut self, items: &[ContractParam], depth: usize) -> &mut Self {
        for item in items.iter().rev() {
            self.push_nested(item, depth);
        }
        self.push_int(&BigInt::from(items.len())).op(Op::PACK)
    }

    fn fail(&mut self, error: ScriptError) {
        self.error.get_or_insert(error);
    }
}

/// Verification script of a single key's account: `PUSHDATA1 key, CheckSig`.
pub(crate) fn standard_verification(key: &PublicKey) -> Vec<u8> {
    let mut out = Vec::with_capacity(40);
    asm::push_data(&mut out, &key.0);
    check_sig(&mut out, "System.Crypto.CheckSig");
    out
}

/// Verification script of an account that needs `required` of `keys`, which are sorted first.
pub fn multisig_verification(required: usize, keys: &[PublicKey]) -> Result<Vec<u8>, ScriptError> {
    if required == 0 || required > keys.len() || keys.len() > MAX_MULTISIG_KEYS {
        return Err(ScriptError::Multisig {
            required,
            keys: keys.len(),
        });
    }
    let mut sorted = keys.to_vec();
    // Neo orders keys by x, then y: of two with equal x the prefix tells y's parity, and equal x never happens twice.
    sorted.sort_by(|a, b| a.0[1..].cmp(&b.0[1..]).then(a.0[0].cmp(&b.0[0])));
    let mut out = Vec::new();
    asm::push_int_le(&mut out, &required.to_le_bytes());
    sorted.iter().for_each(|key| {
        asm::push_data(&mut out, &key.0);
    });
    asm::push_int_le(&mut out, &keys.len().to_le_bytes());
    check_sig(&mut out, "System.Crypto.CheckMultisig");
    Ok(out)
}

/// Reads back a multisig verification script: how many signatures, and the keys in their order.
pub(crate) fn parse_multisig(script: &[u8]) -> Option<(usize, Vec<PublicKey>)> {
    let all: Vec<_> = neo_opcode::decode(script).collect::<Result<_, _>>().ok()?;
    let (required, rest) = all.split_first()?;
    let (call, rest) = rest.split_last()?;
    let (count, keys) = rest.split_last()?;
    let keys = keys
        .iter()
        .map(|push| PublicKey::from_slice(push.operand).ok())
        .collect::<Option<Vec<_>>>()?;
    let wanted = Syscall::by_name("System.Crypto.CheckMultisig")?;
    let required = number(required)?;
    let same = call.op == Op::SYSCALL && call.operand == wanted.id && number(count)? == keys.len();
    (same && required >= 1 && required <= keys.len()).then_some((required, keys))
}

/// The value of a pushed small number.
fn number(push: &neo_opcode::Instruction<'_>) -> Option<usize> {
    let byte = push.op.byte();
    if (Op::PUSH0.byte()..=Op::PUSH16.byte()).contains(&byte) {
        return Some(usize::from(byte - Op::PUSH0.byte()));
    }
    let is_int = (Op::PUSHINT8.byte()..=Op::PUSHINT64.byte()).contains(&byte);
    usize::try_from(push.immediate().filter(|_| is_int)?).ok()
}

/// Invocation script of signatures in the keys' order: one `PUSHDATA1` each.
pub(crate) fn push_signatures(signatures: &[[u8; 64]]) -> Vec<u8> {
    let mut out = Vec::with_capacity(66 * signatures.len());
    signatures.iter().for_each(|signature| {
        asm::push_data(&mut out, signature);
    });
    out
}

/// The hash a contract gets when `sender` deploys it (neo-go `state.CreateContractHash`).
pub fn contract_hash(sender: &Hash160, nef_checksum: u32, name: &str) -> Hash160 {
    let mut out = vec![Op::ABORT.byte()];
    asm::push_data(&mut out, &sender.0);
    asm::push_int(&mut out, i64::from(nef_checksum));
    asm::push_data(&mut out, name.as_bytes());
    Hash160::of_script(&out)
}

fn check_sig(out: &mut Vec<u8>, name: &str) {
    if let Some(call) = Syscall::by_name(name) {
        asm::syscall(out, call);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(param: ContractParam, expected: &str) {
        let mut script = ScriptBuilder::new();
        script.push(&param);
        assert_eq!(hex::encode(script.build().unwrap()), expected, "{param:?}");
    }

    #[test]
    fn every_kind_of_argument_is_pushed() {
        check(ContractParam::Any, "0b");
        check(true.into(), "08");
        check((-1).into(), "0f");
        check("ab".into(), "0c026162");
        check(Hash160([1; 20]).into(), &format!("0c14{}", "01".repeat(20)));
        check(ContractParam::Array(vec![]), "c2");
        check(ContractParam::Array(vec![1.into(), 2.into()]), "121112c0");
        check(ContractParam::Map(vec![]), "c8");
        check(
            ContractParam::Map(vec![("a".into(), 1.into()), ("b".into(), 2.into())]),
            "120c0162110c016112be",
        );
    }

    #[test]
    fn a_call_puts_arguments_flags_method_and_hash() {
        let mut script = ScriptBuilder::new();
        script.call(&Hash160([9; 20]), "f", flags::READ_ONLY, &[7.into()]);
        let expected = format!("1711c0150c01660c14{}41627d5b52", "09".repeat(20));
        assert_eq!(hex::encode(script.build().unwrap()), expected);
    }

    #[test]
    fn the_committee_of_one_has_the_address_neo_go_gives_it() {
        let key = "03470f900f012dd16f2d79560b0af00b07295678c4092105f7f8bfbbcad170c8f5"
            .parse()
            .unwrap();
        let script = multisig_verification(1, &[key]).unwrap();
        assert_eq!(
            Hash160::of_script(&script).to_address(),
            "NPL5muDmtyEtk7MPReDiStQxc6CzwQzwUU"
        );
        assert_eq!(parse_multisig(&script), Some((1, vec![key])));
        assert_eq!(parse_multisig(&key.verification_script()), None);
        assert!(
            multisig_verification(2, &[key]).is_err() && multisig_verification(0, &[key]).is_err()
        );
    }

    #[test]
    fn mistakes_are_reported_when_the_script_is_built() {
        let mut script = ScriptBuilder::new();
        script
            .syscall("System.Runtime.Nonsense")
            .push_int(&(BigInt::from(1) << 255));
        assert_eq!(
            script.build(),
            Err(ScriptError::UnknownSyscall {
                name: "System.Runtime.Nonsense".into()
            })
        );
        let mut script = ScriptBuilder::new();
        script.push_int(&(BigInt::from(1) << 255));
        assert!(matches!(
            script.build(),
            Err(ScriptError::IntegerTooLarge { .. })
        ));
        let mut deep = ContractParam::Any;
        for _ in 0..40 {
            deep = ContractParam::Array(vec![deep]);
        }
        let mut script = ScriptBuilder::new();
        script.push(&deep);
        assert_eq!(script.build(), Err(ScriptError::TooDeep));
    }

    proptest! {
        #[test]
        fn pushed_numbers_and_bytes_decode_to_themselves(number: i128, data in prop::collection::vec(any::<u8>(), 0..600)) {
            let mut script = ScriptBuilder::new();
            script.push_int(&BigInt::from(number)).push_bytes(&data);
            let bytes = script.build().unwrap();
            let all: Vec<_> = neo_opcode::decode(&bytes).collect::<Result<_, _>>().unwrap();
            prop_assert_eq!(all.len(), 2);
            prop_assert_eq!(all[1].operand, data.as_slice());
            if !all[0].operand.is_empty() {
                prop_assert_eq!(BigInt::from_signed_bytes_le(all[0].operand), BigInt::from(number));
            }
        }

        #[test]
        fn no_script_is_mistaken_for_a_multisig_with_a_panic(bytes: Vec<u8>) {
            let _ = parse_multisig(&bytes);
        }
    }
}
