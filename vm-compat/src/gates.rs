//! Gates as conditions that can be combined, and the ready ones.
//!
//! ```
//! use phantasma_vm::Gate;
//!
//! // The owner comes in free; anybody else reads for 5 SOUL from 2027 on.
//! let gate = Gate::Any(vec![
//!     Gate::Owner,
//!     Gate::All(vec![Gate::Reading, Gate::From(1_798_761_600), Gate::Pay(500_000_000)]),
//! ]);
//! # let _ = gate.script();
//! ```

use crate::build::BuildError;
use crate::gate_code::compile;

/// Longest gate in bytes: it is loaded on each access.
pub const MAX_GATE_BYTES: usize = 4096;

/// An account as scripts see it: 20 bytes, in the order of `STATE caller`.
pub type AccountBytes = [u8; 20];

/// Who may come in, when, and for what. Amounts are smallest units of SOUL, times seconds since 1970.
///
/// What costs nothing is asked first: of several ways in ([`Gate::Any`]) a free one is taken before one that charges,
/// among those that charge the first in the list, and a charge is made only when everything else in its
/// [`Gate::All`] is true. So nobody pays and is then refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Everybody.
    Free,
    /// Nobody.
    Nobody,
    /// The box's owner.
    Owner,
    /// Who is on the box's include list.
    Members,
    /// These accounts, kept in the script.
    Accounts(Vec<AccountBytes>),
    /// True while a content is written, replaced or deleted.
    Writing,
    /// True while a content is read, or the cost of reading is asked for.
    Reading,
    /// From that second on.
    From(u64),
    /// Before that second.
    Until(u64),
    /// From the first second on, and before the other.
    Between(u64, u64),
    /// Charges so much for each access.
    Pay(u64),
    /// Charges once, and puts who paid on the include list, which is free from then on.
    PayOnce(u64),
    /// Charges the price if the last payment to the box is older than the period in seconds.
    Subscription {
        /// What is paid.
        price: u64,
        /// For how long.
        period: u64,
    },
    /// Turns a condition round. What charges cannot be turned round.
    Not(Box<Gate>),
    /// All of these. At most one may charge.
    All(Vec<Gate>),
    /// Any of these.
    Any(Vec<Gate>),
}

/// Why a [`Gate`] has no script.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GateError {
    /// A charge under a `Not`: who is charged would be refused.
    #[error("a gate that charges cannot be turned round")]
    NegatedCharge,
    /// Two charges for one access; the second would see what the first has changed.
    #[error("a gate charges at most once for an access: two parts of one `All` do")]
    TwoCharges,
    /// A period or time that means nothing.
    #[error("the time window from {0} until {1} is empty")]
    EmptyWindow(u64, u64),
    /// The script is too long for a gate.
    #[error("the gate has {bytes} bytes, at most {MAX_GATE_BYTES} are allowed")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// The script cannot be built.
    #[error(transparent)]
    Build(#[from] BuildError),
}

impl Gate {
    /// Everybody reads, only the owner writes.
    #[must_use]
    pub fn owner_writes() -> Gate {
        Gate::Any(vec![Gate::Owner, Gate::Reading])
    }

    /// The owner and the members of the box.
    #[must_use]
    pub fn members() -> Gate {
        Gate::Any(vec![Gate::Owner, Gate::Members])
    }

    /// The owner and the accounts of a list.
    #[must_use]
    pub fn allow_list(accounts: Vec<AccountBytes>) -> Gate {
        Gate::Any(vec![Gate::Owner, Gate::Accounts(accounts)])
    }

    /// Free for the owner; anybody else pays once.
    #[must_use]
    pub fn pay_once(price: u64) -> Gate {
        Gate::Any(vec![Gate::Owner, Gate::PayOnce(price)])
    }

    /// Free for the owner; anybody else pays for each period in which they come.
    #[must_use]
    pub fn subscription(price: u64, period: u64) -> Gate {
        Gate::Any(vec![Gate::Owner, Gate::Subscription { price, period }])
    }

    /// The owner at any time, anybody else in the window.
    #[must_use]
    pub fn time_window(from: u64, until: u64) -> Gate {
        Gate::Any(vec![Gate::Owner, Gate::Between(from, until)])
    }

    /// The owner reads and writes; anybody else pays for each read.
    #[must_use]
    pub fn priced_read(price: u64) -> Gate {
        let paid = Gate::All(vec![Gate::Reading, Gate::Pay(price)]);
        Gate::Any(vec![Gate::Owner, paid])
    }

    /// Everybody reads; anybody but the owner pays for each write.
    #[must_use]
    pub fn priced_write(price: u64) -> Gate {
        Gate::Any(vec![Gate::Owner, Gate::Reading, Gate::Pay(price)])
    }

    /// Whether it charges in some cases.
    #[must_use]
    pub fn charges(&self) -> bool {
        match self {
            Gate::Pay(_) | Gate::PayOnce(_) | Gate::Subscription { .. } => true,
            Gate::Not(inner) => inner.charges(),
            Gate::All(parts) | Gate::Any(parts) => parts.iter().any(Gate::charges),
            _ => false,
        }
    }

    /// The script: the shortest one, save that a look-up in the chain's storage (`Members`, and what charges) is jumped
    /// over when what is known without it decides.
    ///
    /// # Errors
    /// A gate that makes no sense, or is too long.
    pub fn script(&self) -> Result<Vec<u8>, GateError> {
        let script = compile(self)?;
        if script.len() > MAX_GATE_BYTES {
            return Err(GateError::TooLong {
                bytes: script.len(),
            });
        }
        Ok(script)
    }
}

impl std::ops::Not for Gate {
    type Output = Gate;

    fn not(self) -> Gate {
        Gate::Not(Box::new(self))
    }
}

impl std::ops::BitAnd for Gate {
    type Output = Gate;

    fn bitand(self, other: Gate) -> Gate {
        Gate::All(vec![self, other])
    }
}

impl std::ops::BitOr for Gate {
    type Output = Gate;

    fn bitor(self, other: Gate) -> Gate {
        Gate::Any(vec![self, other])
    }
}

/// A gate that lets everybody in.
#[must_use]
pub fn free_gate() -> Vec<u8> {
    vec![0x08] // PUSHT
}

/// A gate that lets only the box's owner in.
#[must_use]
pub fn owner_gate() -> Vec<u8> {
    vec![0xEA, 3] // STATE own
}

/// A gate where everybody reads and only the owner writes.
#[must_use]
pub fn owner_writes_gate() -> Vec<u8> {
    // STATE own, STATE write, GE: the owner, or nothing is written.
    vec![0xEA, 3, 0xEA, 0, 0xB8]
}
