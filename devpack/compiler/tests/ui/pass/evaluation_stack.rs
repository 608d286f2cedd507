#[contract(name = "Good")]
pub mod methods {
    use neo_framework::prelude::*;

    #[method(safe)]
    pub fn run(a: Int, b: Int) -> Int {
        eval::push(a);
        eval::push(b);
        eval::add();
        let sum = eval::pop_int();
        sum
    }
}
