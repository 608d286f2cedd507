//! The whole economy once, from the sale to the rewards.

#[tokio::test(flavor = "multi_thread")]
async fn the_economy_adds_up_from_the_sale_to_the_last_lock_up() {
    phantasma_tests::scenario::run().await;
}
