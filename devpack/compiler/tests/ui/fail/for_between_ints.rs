#[contract(name = "Fail")]
pub mod methods {
    use neo_framework::prelude::*;

    #[method(safe)]
    pub fn run(n: Int) -> Int {
        let mut total = int(0);
        for i in int(0)..n {
            total += i;
        }
        for i in 0..=n {
            total += i;
        }
        total
    }
}
