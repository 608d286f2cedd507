//! Small pieces of work: a check of a name, a sum, a counter.

#[neo_framework::contract(name = "BenchSmall")]
pub mod methods {
    use neo_framework::prelude::*;

    const COUNTER: Bytes = bytes(b"\x01");

    /// 1 to 32 of a-z 0-9 _; the bytes are taken from a number, since an index costs 64.
    #[method(safe)]
    pub fn is_name(name: Bytes) -> bool {
        let length = name.len();
        if !length.within(1, 33) {
            return false;
        }
        let mut rest = name.to_int();
        // A number has no zeros above its last byte.
        if rest.to_bytes().len() != length {
            return false;
        }
        while rest != 0 {
            let byte = rest & 255;
            if byte < 97 {
                if byte != 95 && !byte.within(48, 58) {
                    return false;
                }
            } else if byte > 122 {
                return false;
            }
            rest >>= 8;
        }
        true
    }

    #[method(safe)]
    pub fn sum(last: Int) -> Int {
        let mut total = int(0);
        let mut n = int(1);
        while n <= last {
            total += n;
            n += 1;
        }
        total
    }

    #[method]
    pub fn count(by: Int) {
        storage::put_int(&COUNTER, storage::get_int(&COUNTER) + by);
    }
}
