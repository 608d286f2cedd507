#[contract(name = "Bad")]
pub mod methods {
    use neo_framework::prelude::*;

    fn maybe(n: Int) -> Option<Int> {
        Some(n)
    }

    #[method]
    pub fn run(n: Int) -> Int {
        let x = maybe(n)?;
        x
    }
}
