//! The types of the subset.

use std::fmt;
use std::sync::Arc;

/// A type. References are not types here: `&T` is a `T` whose item is shared.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Ty {
    Int,
    /// An `i64` literal or constant, or an enum cast to `i64`.
    Lit,
    /// What `.small()` gives: an `Int` about to be matched.
    Small,
    Bool,
    Bytes,
    /// What `.as_slice()` gives: `Bytes` about to be matched.
    Slice,
    Text,
    Hash160,
    Hash256,
    PublicKey,
    Signature,
    Any,
    Unit,
    Never,
    Iterator,
    Option(Arc<Ty>),
    Array(Arc<Ty>),
    Map(Arc<(Ty, Ty)>),
    Tuple(Arc<[Ty]>),
    Struct(usize, Arc<str>),
    /// An enum without values: a number.
    Enum(usize, Arc<str>),
    /// An enum whose variants have values: a Struct that starts with the variant's position.
    Data(usize, Arc<str>),
    /// `Result` of a value and an error.
    Result(Arc<(Ty, Ty)>),
    /// Not known yet.
    Var(usize),
    /// `T`, `K` or `V` of an intrinsic's signature.
    Param(char),
    /// An error was reported; nothing more is.
    Err,
}

impl Ty {
    pub(crate) fn option(of: Ty) -> Ty {
        Ty::Option(Arc::new(of))
    }

    pub(crate) fn result(value: Ty, error: Ty) -> Ty {
        Ty::Result(Arc::new((value, error)))
    }

    pub(crate) fn array(of: Ty) -> Ty {
        Ty::Array(Arc::new(of))
    }

    /// Whether values of the type are byte strings on NeoVM, which may for a while be held as Buffer or Integer.
    pub(crate) fn is_bytes(&self) -> bool {
        use Ty::*;
        matches!(
            self,
            Bytes | Slice | Text | Hash160 | Hash256 | PublicKey | Signature
        )
    }

    /// Whether the item is a number.
    pub(crate) fn is_number(&self) -> bool {
        matches!(self, Ty::Int | Ty::Lit | Ty::Small | Ty::Enum(..))
    }

    /// Whether an item on the stack stands for a value of the type.
    pub(crate) fn has_item(&self) -> bool {
        !matches!(self, Ty::Unit | Ty::Never | Ty::Err)
    }

    /// Of a `Result` without a value the item is the error alone, or Null.
    pub(crate) fn is_bare_result(&self) -> bool {
        matches!(self, Ty::Result(te) if te.0 == Ty::Unit)
    }

    /// The name under which methods of the type are listed.
    pub(crate) fn head(&self) -> &str {
        match self {
            Ty::Int => "Int",
            Ty::Lit | Ty::Small => "i64",
            Ty::Bool => "bool",
            Ty::Bytes => "Bytes",
            Ty::Slice => "&[u8]",
            Ty::Text => "Text",
            Ty::Hash160 => "Hash160",
            Ty::Hash256 => "Hash256",
            Ty::PublicKey => "PublicKey",
            Ty::Signature => "Signature",
            Ty::Any => "Any",
            Ty::Unit => "()",
            Ty::Never => "!",
            Ty::Iterator => "Iterator",
            Ty::Option(_) => "Option",
            Ty::Array(_) => "Array",
            Ty::Map(_) => "Map",
            Ty::Tuple(_) => "(..)",
            Ty::Result(_) => "Result",
            Ty::Struct(_, name) | Ty::Enum(_, name) | Ty::Data(_, name) => name,
            Ty::Var(_) | Ty::Param(_) | Ty::Err => "_",
        }
    }

    /// The plain type with this name in the framework.
    pub(crate) fn by_name(name: &str) -> Option<Ty> {
        Some(match name {
            "Int" => Ty::Int,
            "i64" => Ty::Lit,
            "bool" => Ty::Bool,
            "Bytes" => Ty::Bytes,
            "Text" => Ty::Text,
            "Hash160" => Ty::Hash160,
            "Hash256" => Ty::Hash256,
            "PublicKey" => Ty::PublicKey,
            "Signature" => Ty::Signature,
            "Any" => Ty::Any,
            "Iterator" => Ty::Iterator,
            _ => return None,
        })
    }
}

impl fmt::Display for Ty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ty::Option(t) => write!(f, "Option<{t}>"),
            Ty::Array(t) => write!(f, "Array<{t}>"),
            Ty::Map(kv) => write!(f, "Map<{}, {}>", kv.0, kv.1),
            Ty::Result(te) => write!(f, "Result<{}, {}>", te.0, te.1),
            Ty::Tuple(list) => {
                f.write_str("(")?;
                for (n, t) in list.iter().enumerate() {
                    write!(f, "{}{t}", if n > 0 { ", " } else { "" })?;
                }
                f.write_str(")")
            }
            Ty::Param(c) => write!(f, "{c}"),
            plain => f.write_str(plain.head()),
        }
    }
}
