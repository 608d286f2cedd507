//! How often one address may ask: a bucket that fills with time.

use std::collections::HashMap;
use std::net::IpAddr;

/// Addresses that are remembered, about 50 bytes each. With more of them at once any one gives way, whose bucket then is
/// full again.
const MAX_ADDRESSES: usize = 8192;

/// So many requests may come at once, in seconds of what is allowed.
const BURST_S: u32 = 5;

#[derive(Debug)]
pub(super) struct Rates {
    per_s: u64,
    buckets: HashMap<IpAddr, Bucket>,
}

/// Thousandths of requests, so that a millisecond brings a whole number.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    left: u64,
    at_ms: u64,
}

impl Rates {
    pub(super) fn new(per_s: u32) -> Self {
        Self {
            per_s: u64::from(per_s),
            buckets: HashMap::new(),
        }
    }

    /// Whether this address may ask now; then it has asked.
    pub(super) fn take(&mut self, address: IpAddr, now_ms: u64) -> bool {
        let (per_s, full) = (self.per_s, self.per_s * u64::from(BURST_S) * 1000);
        let address = network(address);
        if !self.buckets.contains_key(&address) && self.buckets.len() >= MAX_ADDRESSES {
            self.buckets
                .retain(|_, bucket| bucket.filled(now_ms, per_s) < full);
            let any = self.buckets.keys().next().copied();
            if let Some(any) = any.filter(|_| self.buckets.len() >= MAX_ADDRESSES) {
                self.buckets.remove(&any);
            }
        }
        let bucket = self.buckets.entry(address).or_insert(Bucket {
            left: full,
            at_ms: now_ms,
        });
        bucket.left = bucket.filled(now_ms, per_s).min(full);
        bucket.at_ms = now_ms;
        match bucket.left.checked_sub(1000) {
            Some(left) => {
                bucket.left = left;
                true
            }
            None => false,
        }
    }
}

impl Bucket {
    /// What is in it now, over the edge as well.
    fn filled(&self, now_ms: u64, per_s: u64) -> u64 {
        let passed = now_ms.saturating_sub(self.at_ms);
        self.left.saturating_add(passed.saturating_mul(per_s))
    }
}

/// Of IPv6 the first 64 bits: a customer has all the others.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(six) => match six.to_ipv4_mapped() {
            Some(four) => IpAddr::V4(four),
            None => {
                let [a, b, c, d, ..] = six.segments();
                IpAddr::from([a, b, c, d, 0, 0, 0, 0])
            }
        },
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_ask_as_often_as_its_bucket_fills() {
        let mut rates = Rates::new(10);
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let mut count = |text: &str, now_ms| {
            let taken = (0..200).filter(|_| rates.take(address(text), now_ms));
            taken.count()
        };
        assert_eq!((count("1.2.3.4", 0), count("1.2.3.4", 0)), (50, 0));
        assert_eq!((count("1.2.3.4", 1_000), count("1.2.3.4", 1_050)), (10, 0));
        assert_eq!(count("1.2.3.4", 100_000), 50);
        // Another address, and one IPv6 network under two addresses.
        assert_eq!(count("1.2.3.5", 0), 50);
        assert_eq!((count("2001:db8::1", 0), count("2001:db8::2", 0)), (50, 0));
    }

    #[test]
    fn ever_new_addresses_take_bounded_memory() {
        let mut rates = Rates::new(10);
        for n in 0..3 * MAX_ADDRESSES as u32 {
            assert!(rates.take(IpAddr::from(n.to_be_bytes()), 0));
        }
        assert_eq!(rates.buckets.len(), MAX_ADDRESSES);
    }
}
