#[contract(name = "Bad")]
pub mod methods {
    use neo_framework::prelude::*;

    fn same<T>(x: T) -> T {
        x
    }

    #[method]
    pub fn run(n: Int) -> Int {
        same(n)
    }
}
