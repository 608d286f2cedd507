#[contract(name = "Bad")]
pub mod methods {
    use neo_framework::prelude::*;

    #[method]
    pub fn run(n: Int) -> Int {
        let x: Option<Any> = None;
        let y = Some(Some(n));
        n
    }
}
