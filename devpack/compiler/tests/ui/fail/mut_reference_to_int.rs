#[contract(name = "Bad")]
pub mod methods {
    use neo_framework::prelude::*;

    fn bump(x: &mut Int) {
        *x += 1;
    }

    #[method]
    pub fn run(n: Int) -> Int {
        bump(&mut n);
        n
    }
}
