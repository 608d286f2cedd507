//! [`Array`]: NeoVM's Array with elements of one Rust type.

use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;
use std::rc::Rc;

use crate::any::Any;
use crate::convert::{FromItem, IntoItem, ItemType, Mismatch, expect_item};
use crate::fault::fault;
use crate::int::{Int, int};
use crate::item::{Cells, Item, MAX_ITEMS};

/// A growable list. `clone()` copies it; items given to another contract or
/// kept in an [`Any`] are shared with it, as on NeoVM.
pub struct Array<T> {
    cells: Cells,
    is_struct: bool,
    element: PhantomData<T>,
}

/// An [`Array`] of the listed values.
#[macro_export]
macro_rules! array {
    ($($value:expr),* $(,)?) => {{
        #[allow(unused_mut)]
        let mut array = $crate::Array::new();
        $(array.pack($value);)*
        array
    }};
}

impl<T: IntoItem + FromItem> Array<T> {
    /// An empty array.
    #[must_use]
    #[allow(clippy::new_without_default)]
    pub fn new() -> Array<T> {
        Array {
            cells: Cells::default(),
            is_struct: false,
            element: PhantomData,
        }
    }

    /// Number of elements.
    #[must_use]
    pub fn len(&self) -> Int {
        int(self.cells.borrow().len() as i64)
    }

    /// True without any element.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cells.borrow().is_empty()
    }

    /// A copy of the element at `index`; a fault past the end.
    #[must_use]
    #[track_caller]
    pub fn get(&self, index: impl Into<Int>) -> T
    where
        T: Clone,
    {
        let index = self.checked_index(index.into());
        let item = self.cells.borrow()[index].clone();
        // The item of an inner array is shared, its clone is not.
        expect_item::<T>(item).clone()
    }

    /// Replaces the element at `index`; a fault past the end.
    #[track_caller]
    pub fn set(&mut self, index: impl Into<Int>, value: T) {
        let index = self.checked_index(index.into());
        let item = value.into_item().copy_if_struct();
        self.cells.borrow_mut()[index] = item;
    }

    /// Appends; a fault above 2048 elements.
    #[track_caller]
    pub fn push(&mut self, value: T) {
        if self.cells.borrow().len() >= MAX_ITEMS {
            fault(format_args!("stack is too big: above {MAX_ITEMS} items"));
        }
        let item = value.into_item().copy_if_struct();
        self.cells.borrow_mut().push(item);
    }

    /// What `array!` does: PACK keeps a Struct that an [`Any`] holds shared, where APPEND copies it.
    #[doc(hidden)]
    #[track_caller]
    pub fn pack(&mut self, value: T) {
        let item = value.into_item();
        self.cells.borrow_mut().push(item);
    }

    /// Takes the last element; a fault if there is none.
    #[track_caller]
    pub fn pop(&mut self) -> T {
        let last = self.cells.borrow_mut().pop();
        match last {
            Some(item) => expect_item(item),
            None => fault("POPITEM of an empty array"),
        }
    }

    /// Removes the element at `index`; a fault past the end.
    #[track_caller]
    pub fn remove(&mut self, index: impl Into<Int>) {
        let index = self.checked_index(index.into());
        self.cells.borrow_mut().remove(index);
    }

    /// Removes all elements.
    pub fn clear(&mut self) {
        self.cells.borrow_mut().clear();
    }

    /// For a `for`: a copy of each element, as [`Array::get`] gives it.
    #[must_use]
    pub fn iter(&self) -> Elements<'_, T> {
        Elements { array: self, at: 0 }
    }

    #[track_caller]
    fn checked_index(&self, index: Int) -> usize {
        let length = self.cells.borrow().len();
        match index.to_index().filter(|index| *index < length) {
            Some(index) => index,
            None => fault(format_args!("index {index} is out of {length} elements")),
        }
    }
}

/// The elements of an [`Array`] one after the other.
pub struct Elements<'a, T> {
    array: &'a Array<T>,
    at: usize,
}

impl<T: IntoItem + FromItem + Clone> std::iter::Iterator for Elements<'_, T> {
    type Item = T;

    #[track_caller]
    fn next(&mut self) -> Option<T> {
        let item = self.array.cells.borrow().get(self.at)?.clone();
        self.at += 1;
        Some(expect_item::<T>(item).clone())
    }
}

impl<'a, T: IntoItem + FromItem + Clone> IntoIterator for &'a Array<T> {
    type Item = T;
    type IntoIter = Elements<'a, T>;

    fn into_iter(self) -> Elements<'a, T> {
        self.iter()
    }
}

impl<T: IntoItem + FromItem + Clone> Clone for Array<T> {
    fn clone(&self) -> Array<T> {
        let cells = self.cells.borrow();
        let copies = cells.iter().map(|item| {
            let original: T = expect_item(item.clone());
            original.clone().into_item()
        });
        let cells = Rc::new(RefCell::new(copies.collect()));
        Array {
            cells,
            is_struct: self.is_struct,
            element: PhantomData,
        }
    }
}

impl<T> fmt::Debug for Array<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.cells.borrow().iter()).finish()
    }
}

impl<T> ItemType for Array<T> {
    const TYPE: &'static str = "Array";
}

impl<T> IntoItem for Array<T> {
    fn into_item(self) -> Item {
        if self.is_struct {
            Item::Struct(self.cells)
        } else {
            Item::Array(self.cells)
        }
    }
}

impl<T> FromItem for Array<T> {
    fn from_item(item: Item) -> Result<Array<T>, Mismatch> {
        let (cells, is_struct) = match item {
            Item::Array(cells) => (cells, false),
            Item::Struct(cells) => (cells, true),
            other => return Err(Mismatch::new("Array", &other)),
        };
        Ok(Array {
            cells,
            is_struct,
            element: PhantomData,
        })
    }
}

impl<T> From<Array<T>> for Any {
    fn from(value: Array<T>) -> Any {
        Any::of(value.into_item())
    }
}
