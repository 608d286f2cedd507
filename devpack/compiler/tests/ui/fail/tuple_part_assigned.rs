#[contract(name = "Bad")]
pub mod methods {
    use neo_framework::prelude::*;

    #[method]
    pub fn run(n: Int) -> Int {
        let mut t = (n, n);
        t.0 = int(1);
        t.1
    }
}
