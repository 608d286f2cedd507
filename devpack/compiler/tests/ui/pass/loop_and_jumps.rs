#[contract(name = "Good")]
pub mod methods {
    use neo_framework::prelude::*;

    #[method(safe)]
    pub fn sum(n: Int) -> Int {
        let mut total = int(0);
        let mut i = int(1);
        while i <= n {
            total += i;
            i += 1;
        }
        total
    }
}
