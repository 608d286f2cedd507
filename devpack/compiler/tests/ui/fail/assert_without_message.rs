#[contract(name = "Bad")]
pub mod methods {
    use neo_framework::prelude::*;

    #[method]
    pub fn run(n: Int) -> Int {
        assert!(n > 0);
        assert_eq!(n, 1);
        assert!(n > 0, "n is {n}");
        n
    }
}
