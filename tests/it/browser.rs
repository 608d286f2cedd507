//! The browser that other tests rely on is there and works.

use std::{fs, time::Duration};

use phantasma_tests::browser;

#[test]
fn chromium_opens_a_page() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("page.html");
    let script = "document.title = [1, 2, 3].map((n) => n * n).join()";
    fs::write(
        &file,
        format!("<title>none</title><script>{script}</script>"),
    )
    .unwrap();
    let url = format!("file://{}", file.display());
    let said = browser::run("smoke.mjs", &[("URL", &url)], Duration::from_secs(60));
    assert_eq!(said.trim(), "1,4,9");
}
