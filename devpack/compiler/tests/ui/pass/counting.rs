#[contract(name = "Counting")]
pub mod methods {
    use neo_framework::prelude::*;
    use neo_framework::storage;

    #[method(safe)]
    pub fn sum(n: Int) -> Int {
        let mut total = int(0);
        for i in range(0, n) {
            total += i;
        }
        total
    }

    #[method(safe)]
    pub fn sum_to(n: Int) -> Int {
        let mut total = int(0);
        for i in range_inclusive(1, n) {
            total += i;
        }
        total
    }

    #[method(safe)]
    pub fn ten() -> Int {
        let mut total = int(0);
        for i in 1..=10 {
            total += i;
        }
        total
    }

    #[method(safe)]
    pub fn of_list(list: Array<Any>) -> Int {
        let mut total = int(0);
        for x in &list {
            if x.is_null() {
                continue;
            }
            total += x.as_int();
        }
        total
    }

    #[method(safe)]
    pub fn stored() -> Int {
        let mut total = int(0);
        for value in storage::find(&bytes(b"n"), storage::VALUES_ONLY) {
            total += value.as_int();
        }
        total
    }
}
