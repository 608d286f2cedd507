#[contract(name = "Generic")]
pub mod methods {
    use neo_framework::prelude::*;

    #[inline]
    fn pick<T: Clone>(first: bool, a: &T, b: &T) -> T {
        if first { a.clone() } else { b.clone() }
    }

    #[method(safe)]
    pub fn run(first: bool, a: Int, b: Int) -> Int {
        pick(first, &a, &b) + pick(first, &b, &a)
    }

    #[method(safe)]
    pub fn names(first: bool, a: Text, b: Text) -> Text {
        pick(first, &a, &b)
    }
}
