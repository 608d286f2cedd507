#[contract(name = "Bad")]
pub mod methods {
    use neo_framework::prelude::*;

    fn same(x: &Int) -> &Int {
        x
    }

    #[method]
    pub fn run(n: Int) -> Int {
        same(&n)
    }
}
