//! The three contracts, which name each other by hash.

use std::fmt;

/// One of the three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// SOUL, boxes, the register of content.
    Phantasma,
    /// Sells SOUL and keeps what is locked up.
    Sale,
    /// Storage nodes, proofs, rewards.
    Proofs,
}

impl Program {
    /// In the order in which they are deployed: the one that people use comes last, so that once it is there all are.
    pub const ALL: [Self; 3] = [Self::Sale, Self::Proofs, Self::Phantasma];

    /// The contract's name in its manifest, which its files carry too.
    pub fn name(self) -> &'static str {
        match self {
            Self::Phantasma => "Phantasma",
            Self::Sale => "PhantasmaSale",
            Self::Proofs => "PhantasmaProofs",
        }
    }

    /// Root file relative to the workspace, so that debug information is the same wherever it was compiled.
    pub(super) fn root(self) -> &'static str {
        match self {
            Self::Phantasma => "contract/src/lib.rs",
            Self::Sale => "contract/sale/src/lib.rs",
            Self::Proofs => "contract/proofs/src/lib.rs",
        }
    }

    /// Other crates that are compiled in: name and root file.
    pub(super) fn externs(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Phantasma => &[("phantasma_vm", "vm-compat/src/lib.rs")],
            Self::Sale | Self::Proofs => &[],
        }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Something of each of the three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trio<T> {
    pub phantasma: T,
    pub sale: T,
    pub proofs: T,
}

impl<T> Trio<T> {
    /// Makes each by the same rule.
    pub fn try_of<E>(make: impl Fn(Program) -> Result<T, E>) -> Result<Self, E> {
        Ok(Self {
            phantasma: make(Program::Phantasma)?,
            sale: make(Program::Sale)?,
            proofs: make(Program::Proofs)?,
        })
    }

    pub fn get(&self, program: Program) -> &T {
        match program {
            Program::Phantasma => &self.phantasma,
            Program::Sale => &self.sale,
            Program::Proofs => &self.proofs,
        }
    }

    pub fn set(&mut self, program: Program, value: T) {
        match program {
            Program::Phantasma => self.phantasma = value,
            Program::Sale => self.sale = value,
            Program::Proofs => self.proofs = value,
        }
    }
}
