#[contract(name = "Good")]
pub mod methods {
    use neo_framework::prelude::*;

    fn half(n: Int) -> Option<Int> {
        if n % 2 == 0 { Some(n / 2) } else { None }
    }

    #[method(safe)]
    pub fn run(n: Int) -> Option<Int> {
        Some(int(10) + half(n)?)
    }
}
