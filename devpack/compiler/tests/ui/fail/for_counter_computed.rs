#[contract(name = "Fail")]
pub mod methods {
    use neo_framework::prelude::*;

    #[method(safe)]
    pub fn run(n: Int) -> Int {
        let mut total = n;
        for i in 0..10 {
            total += i + 1;
            let kept = i;
            total += -i;
            i = 5;
        }
        let r = range(0, n);
        total
    }
}
