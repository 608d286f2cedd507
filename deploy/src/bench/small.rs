//! A check of a name, a sum, a counter, by all sides.

use anyhow::{Context, Result};
use neo_client::ContractParam;

use super::contract::{Bench, Expect, FLOOR_LOOP, FLOOR_STORAGE};

/// 32 bytes, all of what is allowed in them.
const NAME: &str = "phantasma_contents_of_box_012345";

/// What no side may take for a name.
const NO_NAMES: [&[u8]; 7] = [
    b"",
    b"phantasma_contents_of_box_0123456",
    b"Phantasma",
    b"a-b",
    b"a{",
    b"ab\0",
    b"\xE4\xE4",
];

pub(super) async fn measure(bench: &mut Bench) -> Result<()> {
    let sides = bench.sides("small", &ContractParam::Any).await?;
    let floor = sides.floor().context("there is a floor")?.hash;
    bench.chain.calibrate(&floor).await?;
    for name in NO_NAMES {
        let call = [ContractParam::ByteArray(name.to_vec())];
        bench.same(&sides, "isName", &call, &Expect::False).await?;
    }
    let name = [ContractParam::ByteArray(NAME.into())];
    bench
        .case(
            "check a name of 32 bytes",
            &sides,
            ("isName", &name),
            &Expect::True,
            FLOOR_LOOP,
        )
        .await?;
    let sum = Expect::Number(1000 * 1001 / 2);
    bench
        .case(
            "sum 1..1000",
            &sides,
            ("sum", &[1000.into()]),
            &sum,
            FLOOR_LOOP,
        )
        .await?;
    bench.send(&sides, "count", &[1.into()]).await?;
    bench
        .case(
            "counter in storage",
            &sides,
            ("count", &[1.into()]),
            &Expect::Nothing,
            FLOOR_STORAGE,
        )
        .await?;
    bench.sizes("name check, sum and counter", &sides);
    Ok(())
}
