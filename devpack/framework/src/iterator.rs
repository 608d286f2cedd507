//! [`Iterator`] over storage entries.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use crate::any::Any;
use crate::fault::fault;
use crate::item::Item;

/// What `storage::find` gives. It starts before the first entry. A safe method
/// may return it.
#[derive(Clone)]
pub struct Iterator(Rc<RefCell<State>>);

struct State {
    items: Vec<Item>,
    /// Entries passed; 0 before the first `next`.
    passed: usize,
}

impl Iterator {
    /// Over those items (native code only).
    #[must_use]
    pub fn over(items: Vec<Item>) -> Iterator {
        Iterator(Rc::new(RefCell::new(State { items, passed: 0 })))
    }

    /// Goes to the next entry; false after the last.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&self) -> bool {
        let mut state = self.0.borrow_mut();
        let length = state.items.len();
        state.passed = (state.passed + 1).min(length + 1);
        state.passed <= length
    }

    /// The current entry; a fault before the first and after the last.
    #[must_use]
    #[track_caller]
    pub fn value(&self) -> Any {
        let state = self.0.borrow();
        match state
            .passed
            .checked_sub(1)
            .and_then(|at| state.items.get(at))
        {
            Some(item) => Any::of(item.clone()),
            None => fault("the iterator stands on no entry"),
        }
    }

    /// The entries not yet passed (native code only; what a client sees).
    #[must_use]
    pub fn rest(&self) -> Vec<Item> {
        let state = self.0.borrow();
        state.items.get(state.passed..).unwrap_or_default().to_vec()
    }
}

/// The entries that a `for` over an [`Iterator`] sees.
pub struct Entries(Iterator);

impl std::iter::Iterator for Entries {
    type Item = Any;

    fn next(&mut self) -> Option<Any> {
        self.0.next().then(|| self.0.value())
    }
}

impl IntoIterator for Iterator {
    type Item = Any;
    type IntoIter = Entries;

    fn into_iter(self) -> Entries {
        Entries(self)
    }
}

impl PartialEq for Iterator {
    fn eq(&self, other: &Iterator) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for Iterator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Iterator({} left)", self.rest().len())
    }
}
