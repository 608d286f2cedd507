//! Every route, one row each, and what stands before all of them.

use std::net::Ipv4Addr;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::handler::Handler;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, on};

use crate::app::App;
use crate::error::ApiError;
use crate::tokens::{Scope, Token};
use crate::{boxes, contents, events, gates, health, media, nodes, page, relay, uploads, wallet};

/// The largest body of a request but for uploads: a content of a box is 60 KiB, 120 KiB in hex, and its script text.
const MAX_BODY: usize = 256 << 10;

/// One route.
pub(crate) struct Route {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    /// What its token must be good for; none where no token is asked for.
    pub(crate) scope: Option<Scope>,
    handler: Box<dyn FnOnce(MethodFilter) -> MethodRouter<App>>,
}

fn row<H, T>(
    method: &'static str,
    path: &'static str,
    scope: impl Into<Option<Scope>>,
    handler: H,
) -> Route
where
    H: Handler<T, App>,
    T: 'static,
{
    Route {
        method,
        path,
        scope: scope.into(),
        handler: Box::new(|filter| on(filter, handler)),
    }
}

fn filter(method: &str) -> MethodFilter {
    match method {
        "post" => MethodFilter::POST,
        "put" => MethodFilter::PUT,
        "delete" => MethodFilter::DELETE,
        _ => MethodFilter::GET,
    }
}

/// All routes of the API. The page's own files stand in [`page`].
pub(crate) fn table() -> Vec<Route> {
    use Scope::{Admin, Decrypt, Read, Write};
    vec![
        row("get", "/api/status", Read, wallet::status),
        row("get", "/api/wallet", Read, wallet::wallet),
        row("get", "/api/events", Read, events::listen),
        row("get", "/api/boxes", Read, boxes::list),
        row("post", "/api/boxes", Write, boxes::create),
        row("get", "/api/boxes/{box}", Read, boxes::show),
        row("put", "/api/boxes/{box}/gate", Write, boxes::replace_gate),
        row("get", "/api/boxes/{box}/contents", Read, boxes::entries),
        row("post", "/api/boxes/{box}/contents", Write, boxes::write),
        row(
            "get",
            "/api/boxes/{box}/contents/{index}",
            Read,
            boxes::read,
        ),
        row("get", "/api/gates/ready", Read, gates::ready),
        row("post", "/api/gates/assemble", Read, gates::assemble_text),
        row("post", "/api/gates/explain", Read, gates::explain),
        row("post", "/api/gates/estimate", Read, gates::estimate),
        row("post", "/api/gates/debug", Read, gates::debug),
        row("get", "/api/contents", Read, contents::list),
        row("get", "/api/contents/{root}", Read, contents::show),
        row("get", "/api/contents/{root}/health", Read, health::show),
        row("get", "/api/contents/{root}/bytes", Decrypt, media::bytes),
        row(
            "post",
            "/api/contents/{root}/ticket",
            Decrypt,
            media::ticket,
        ),
        row("get", "/api/uploads", Read, uploads::list),
        row("post", "/api/uploads", Write, uploads::begin),
        row("get", "/api/uploads/{id}", Read, uploads::show),
        row("post", "/api/uploads/{id}/retry", Write, uploads::retry),
        row("delete", "/api/uploads/{id}", Write, uploads::forget),
        row("get", "/api/nodes", Read, nodes::list),
        row("get", "/api/rewards", Read, nodes::rewards),
        row("get", "/api/relay", Read, relay::show),
        row("get", "/api/tokens", Admin, wallet::tokens),
        row("post", "/api/tokens", Admin, wallet::add_token),
        row("delete", "/api/tokens/{name}", Admin, wallet::revoke_token),
        row("get", "/media/{ticket}", None, media::by_ticket),
        row("get", "/openapi.yaml", None, page::openapi),
    ]
}

/// The routes with all that stands before them.
pub(crate) fn router(app: &App) -> Router {
    let mut router: Router<App> = Router::new();
    for route in table() {
        let Route { path, scope, .. } = route;
        let handler = (route.handler)(filter(route.method));
        let handler = match scope {
            Some(scope) => {
                let gate = (app.clone(), scope);
                handler.layer(middleware::from_fn_with_state(gate, allowed))
            }
            None => handler,
        };
        router = router.route(path, handler);
    }
    router
        .merge(page::routes())
        .fallback(|| async { ApiError::absent("there is no such thing here; see /openapi.yaml") })
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn_with_state(app.clone(), at_the_door))
        .with_state(app.clone())
}

/// Lets in who shows a token that is good for it. A token in a header is something that no other page can make a browser
/// send.
async fn allowed(
    State((app, scope)): State<(App, Scope)>,
    mut request: Request,
    next: Next,
) -> Response {
    let token = match shown(request.headers()).and_then(|secret| known(&app, secret)) {
        Some(token) => token,
        None => {
            let refusal = ApiError::new(
                StatusCode::UNAUTHORIZED,
                "unauthorized",
                "show a token: Authorization: Bearer TOKEN",
            );
            let ask = [(header::WWW_AUTHENTICATE, "Bearer")];
            return (ask, refusal).into_response();
        }
    };
    if !token.scopes.contains(&scope) {
        let text = format!(
            "the token \"{}\" is not good for {}",
            token.name,
            scope.name()
        );
        return ApiError::new(StatusCode::FORBIDDEN, "forbidden", text).into_response();
    }
    request.extensions_mut().insert(token);
    next.run(request).await
}

fn shown(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    value.strip_prefix("Bearer ")
}

fn known(app: &App, secret: &str) -> Option<Token> {
    let tokens = app.tokens.read();
    let tokens = tokens.unwrap_or_else(std::sync::PoisonError::into_inner);
    tokens.find(secret).cloned()
}

/// Counts, refuses requests under another host's name (a page that has its own name point to this machine), answers
/// origins that were allowed, and tells browsers what the page may do.
async fn at_the_door(State(app): State<App>, request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let allowed = origin.filter(|origin| {
        let origin = origin.to_str().unwrap_or_default();
        app.allow_origins.iter().any(|allowed| allowed == origin)
    });
    let preflight = request.method() == Method::OPTIONS
        && request
            .headers()
            .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if !is_this_machine(request.headers()) {
        let text = "this daemon answers to 127.0.0.1, localhost and [::1] alone";
        ApiError::new(StatusCode::FORBIDDEN, "wrong_host", text).into_response()
    } else if preflight && allowed.is_some() {
        StatusCode::NO_CONTENT.into_response()
    } else {
        next.run(request).await
    };
    app.metrics.request(response.status().as_u16());
    let headers = response.headers_mut();
    if let Some(origin) = allowed {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        let list = HeaderValue::from_static;
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_METHODS,
            list("GET, POST, PUT, DELETE"),
        );
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            list("authorization, content-type, range"),
        );
        headers.insert(header::VARY, list("origin"));
    }
    for (name, value) in page::DEFENCES {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    response
}

fn is_this_machine(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(header::HOST).and_then(|h| h.to_str().ok()) else {
        return false;
    };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        Some(_) | None => host,
    };
    let loopback = |ip: Ipv4Addr| ip.is_loopback();
    name == "localhost" || name == "[::1]" || name.parse().is_ok_and(loopback)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const OPENAPI: &str = include_str!("../../docs/openapi/console.yaml");

    /// Method, path and scope of every operation of the document.
    fn documented() -> BTreeSet<(String, String, String)> {
        let mut found = BTreeSet::new();
        let (mut path, mut method) = (String::new(), None::<String>);
        let mut open: Option<(String, String, String)> = None;
        let paths = OPENAPI
            .lines()
            .skip_while(|line| *line != "paths:")
            .skip(1)
            .take_while(|line| line.is_empty() || line.starts_with(' '));
        for line in paths {
            let indent = line.len() - line.trim_start().len();
            let word = line.trim().trim_end_matches(':');
            match indent {
                2 => path = word.to_owned(),
                4 if ["get", "post", "put", "delete"].contains(&word) => {
                    method = Some(word.to_owned());
                    found.extend(open.take());
                    open = Some((word.to_owned(), path.clone(), "none".to_owned()));
                }
                4 => method = None,
                6 if method.is_some() => {
                    if let (Some(scope), Some(open)) =
                        (word.strip_prefix("x-scope: "), open.as_mut())
                    {
                        open.2 = scope.to_owned();
                    }
                }
                _ => {}
            }
        }
        found.extend(open);
        found
    }

    #[test]
    fn the_openapi_document_has_every_route_and_no_other() {
        let table: BTreeSet<_> = table()
            .iter()
            .map(|route| {
                let scope = route.scope.map_or("none", Scope::name);
                (
                    route.method.to_owned(),
                    route.path.to_owned(),
                    scope.to_owned(),
                )
            })
            .collect();
        let documented = documented();
        let missing: Vec<_> = table.difference(&documented).collect();
        let unknown: Vec<_> = documented.difference(&table).collect();
        assert!(
            missing.is_empty() && unknown.is_empty(),
            "not in the document: {missing:?}; not in the table: {unknown:?}"
        );
    }

    #[test]
    fn only_this_machine_by_its_own_names_is_answered() {
        let named = |host: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_str(host).unwrap());
            is_this_machine(&headers)
        };
        for host in [
            "127.0.0.1",
            "127.0.0.1:80",
            "localhost:4380",
            "[::1]:4380",
            "[::1]",
            "127.9.9.9",
        ] {
            assert!(named(host), "{host}");
        }
        for host in [
            "",
            "example.org",
            "localhost.example.org:80",
            "10.0.0.1:80",
            "127.0.0.1.nip.io",
        ] {
            assert!(!named(host), "{host}");
        }
        assert!(!is_this_machine(&HeaderMap::new()));
    }
}
