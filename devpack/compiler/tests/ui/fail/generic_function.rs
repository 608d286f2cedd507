#[contract(name = "Bad")]
pub mod methods {
    use neo_framework::prelude::*;

    fn same<T>(a: T) -> T {
        a
    }

    fn made<T>() -> Option<T> {
        None
    }

    fn count<const N: usize>(a: Int) -> Int {
        a
    }

    fn larger<T: Clone>(a: T, depth: Int) -> Int {
        larger((a.clone(), a), depth)
    }

    fn added<T>(a: T, b: T) -> Option<T> {
        Some(a + b)
    }

    #[event(name = "Seen")]
    fn seen<T>(a: T) {}

    #[method]
    pub fn exported<T>(a: T) -> T {
        a
    }

    #[method]
    pub fn run(a: Int, b: Bytes, any: Any) -> Int {
        same(5);
        same(a, b);
        made();
        count::<3>(a);
        added(a, b);
        added(b.clone(), b);
        added(any.clone(), any);
        seen(a);
        same::<Bytes>(a);
        larger(a, a)
    }
}
