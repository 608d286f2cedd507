//! Counting: what a `for` runs over between two [`Int`]s.

use crate::int::Int;

/// The numbers from one bound to the other; made by [`range`] and [`range_inclusive`].
#[derive(Clone, Debug)]
pub struct Range {
    next: Int,
    last: Int,
    done: bool,
}

/// For a `for`: from `from` up to, but without, `to`. Rust's `a..b` cannot count in a type of a crate.
#[must_use]
pub fn range(from: impl Into<Int>, to: impl Into<Int>) -> Range {
    let (next, to) = (from.into(), to.into());
    let done = next >= to;
    let last = if done { next } else { to - 1 };
    Range { next, last, done }
}

/// For a `for`: from `from` up to and with `to`.
#[must_use]
pub fn range_inclusive(from: impl Into<Int>, to: impl Into<Int>) -> Range {
    let (next, last) = (from.into(), to.into());
    Range {
        next,
        last,
        done: next > last,
    }
}

impl std::iter::Iterator for Range {
    type Item = Int;

    fn next(&mut self) -> Option<Int> {
        if self.done {
            return None;
        }
        let now = self.next;
        if now == self.last {
            self.done = true;
        } else {
            self.next = now + 1;
        }
        Some(now)
    }
}

#[cfg(test)]
mod tests {
    use super::{range, range_inclusive};
    use crate::int::{Int, int};

    #[test]
    fn both_ends_of_the_numbers_can_be_reached() {
        let near = Int::MAX - 2;
        assert_eq!(range(near, Int::MAX).count(), 2);
        assert_eq!(range_inclusive(near, Int::MAX).last(), Some(Int::MAX));
        assert_eq!(range_inclusive(Int::MIN, Int::MIN).count(), 1);
        assert_eq!(range(Int::MIN, Int::MIN).count(), 0);
        assert_eq!(range(5, -5).count() + range_inclusive(5, 4).count(), 0);
        assert_eq!(range(-1, 2).collect::<Vec<_>>(), [int(-1), int(0), int(1)]);
    }
}
