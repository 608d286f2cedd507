//! The web page: plain files in the program, so that it works without any network and without a build.

use axum::Router;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::IntoResponse;
use axum::routing::get;

use crate::app::App;

/// What the routes are, for programs.
const OPENAPI: &str = include_str!("../../docs/openapi/console.yaml");

/// What every answer tells a browser: nothing comes from elsewhere, nothing inline runs, nobody frames the page.
pub(crate) const DEFENCES: [(HeaderName, &str); 5] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self'; \
         connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (header::CACHE_CONTROL, "no-store"),
];

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// Path, type and text of every file of the page.
const FILES: [(&str, &str, &str); 14] = [
    ("/", HTML, include_str!("../static/index.html")),
    ("/style.css", CSS, include_str!("../static/style.css")),
    ("/icon.svg", SVG, include_str!("../static/icon.svg")),
    ("/app.js", SCRIPT, include_str!("../static/app.js")),
    ("/api.js", SCRIPT, include_str!("../static/api.js")),
    ("/dom.js", SCRIPT, include_str!("../static/dom.js")),
    ("/boxes.js", SCRIPT, include_str!("../static/boxes.js")),
    ("/gates.js", SCRIPT, include_str!("../static/gates.js")),
    (
        "/debugger.js",
        SCRIPT,
        include_str!("../static/debugger.js"),
    ),
    ("/files.js", SCRIPT, include_str!("../static/files.js")),
    ("/plot.js", SCRIPT, include_str!("../static/plot.js")),
    ("/network.js", SCRIPT, include_str!("../static/network.js")),
    ("/relay.js", SCRIPT, include_str!("../static/relay.js")),
    ("/wallet.js", SCRIPT, include_str!("../static/wallet.js")),
];

/// The page's own routes; none needs a token, none says anything of its user.
pub(crate) fn routes() -> Router<App> {
    FILES
        .iter()
        .fold(Router::new(), |router, (path, kind, text)| {
            let kind = HeaderValue::from_static(kind);
            let answer = move || async move { ([(header::CONTENT_TYPE, kind)], *text) };
            router.route(path, get(answer))
        })
}

/// `GET /openapi.yaml`.
pub(crate) async fn openapi() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/yaml")], OPENAPI)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The policy forbids it, so it would not work, and nobody would see why.
    #[test]
    fn no_file_has_inline_code_or_asks_another_host() {
        for (path, _, text) in FILES {
            for word in ["<style", " style=\"", "javascript:", "innerHTML", "eval("] {
                assert!(!text.contains(word), "{path} has {word}");
            }
            let scripts = text.matches("<script").count();
            assert_eq!(
                scripts,
                text.matches("<script type=\"module\" src=\"").count(),
                "{path}"
            );
            let handlers = [" onclick=", " onload=", " onerror="];
            assert!(!handlers.iter().any(|word| text.contains(word)), "{path}");
            let namespace = text.replace("http://www.w3.org/2000/svg", "");
            for scheme in ["http://", "https://"] {
                assert!(!namespace.contains(scheme), "{path} has {scheme}");
            }
        }
    }
}
