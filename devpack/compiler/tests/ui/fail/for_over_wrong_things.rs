#[contract(name = "Fail")]
pub mod methods {
    use neo_framework::prelude::*;

    #[method(safe)]
    pub fn run(n: Int, b: Bytes, list: Array<Any>, map: Map<Int, Int>) -> Int {
        for i in n {}
        for i in &b {}
        for i in list {}
        for (k, v) in &map {}
        for i in 0.. {}
        for i in 0..true {}
        for i in range(0) {}
        for i in range(0, b) {}
        for Some(x) in &array![Some(n)] {}
        for x in &array![array![n]] {}
        n
    }
}
