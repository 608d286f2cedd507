//! What a generated program is made of.

use neo_client::ContractParam;
use num_bigint::BigInt;

/// A type of the subset that programs use.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Ty {
    Int,
    Bool,
    Bytes,
    Text,
    /// The program's enum without data.
    Enum,
    /// A struct of the program.
    Struct(usize),
    Tuple(Vec<Ty>),
    Array(Box<Ty>),
    Map(Box<Ty>, Box<Ty>),
    Option(Box<Ty>),
}

impl Ty {
    pub(super) fn array(of: Ty) -> Ty {
        Ty::Array(Box::new(of))
    }

    pub(super) fn option(of: Ty) -> Ty {
        Ty::Option(Box::new(of))
    }

    pub(super) fn map(key: Ty, value: Ty) -> Ty {
        Ty::Map(Box::new(key), Box::new(value))
    }

    /// Whether Rust copies it on use.
    pub(super) fn is_copy(&self) -> bool {
        match self {
            Ty::Int | Ty::Bool | Ty::Enum => true,
            Ty::Option(of) => of.is_copy(),
            _ => false,
        }
    }

    /// Whether functions may change it through `&mut`.
    pub(super) fn is_shared(&self) -> bool {
        matches!(self, Ty::Struct(_) | Ty::Array(_) | Ty::Map(..))
    }
}

/// How a variable holds its value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Hold {
    Own,
    Ref,
    RefMut,
}

#[derive(Clone, Debug)]
pub(super) struct Var {
    pub(super) name: String,
    pub(super) ty: Ty,
    pub(super) mutable: bool,
    pub(super) hold: Hold,
    /// The block that declares it.
    pub(super) block: usize,
}

#[derive(Clone, Debug)]
pub(super) struct Param {
    pub(super) ty: Ty,
    pub(super) hold: Hold,
}

#[derive(Clone, Debug)]
pub(super) struct Function {
    pub(super) name: String,
    pub(super) params: Vec<Param>,
    pub(super) result: Option<Ty>,
    /// The first parameter counts its calls of itself down.
    pub(super) recursive: bool,
}

/// A program: one exported method and what it uses, all with names of their own.
#[derive(Clone, Debug)]
pub(super) struct Program {
    /// Its number in the run.
    pub(super) index: usize,
    /// The exported method.
    pub(super) method: String,
    /// Source lines.
    pub(super) lines: Vec<String>,
    /// Ranges of lines that are whole statements: what a smaller program may leave out.
    pub(super) statements: Vec<(usize, usize)>,
    /// What the method is called with.
    pub(super) calls: Vec<Vec<Value>>,
}

impl Program {
    /// The source, to stand inside of a contract's module.
    pub(super) fn source(&self) -> String {
        self.lines.join("\n") + "\n"
    }
}

/// An argument.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Int(BigInt),
    Bytes(Vec<u8>),
}

impl Value {
    pub(super) fn for_node(&self) -> ContractParam {
        match self {
            Value::Null => ContractParam::Any,
            Value::Bool(value) => ContractParam::Boolean(*value),
            Value::Int(value) => ContractParam::Integer(value.clone()),
            Value::Bytes(value) => ContractParam::ByteArray(value.clone()),
        }
    }

    /// As the native program reads it.
    pub(super) fn for_native(&self) -> String {
        match self {
            Value::Null => "n".to_owned(),
            Value::Bool(value) => if *value { "t" } else { "f" }.to_owned(),
            Value::Int(value) => format!("i{}", hex::encode(value.to_signed_bytes_le())),
            Value::Bytes(value) => format!("b{}", hex::encode(value)),
        }
    }
}
