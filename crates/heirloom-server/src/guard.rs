//! What keeps other web sites away from a server that trusts everybody on this machine.
//!
//! A page from anywhere can make a browser send requests to loopback. So a request must name this
//! server as its host (a name that somebody else points to loopback does not count), and one that
//! changes something must not come from another origin.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use heirloom_core::Actor;

use crate::problem::{Code, Problem};

/// Lets a request in as the operator's, if it was meant for the server at `port` and comes from
/// this machine's own pages or programs.
pub(crate) async fn admit_loopback(
    State(port): State<u16>,
    mut req: Request,
    next: Next,
) -> Response {
    // HTTP/1.1 asks for the host in a header; a proxy's form has it in the target.
    let host = req
        .uri()
        .authority()
        .map(|authority| authority.as_str().to_owned())
        .or_else(|| text(req.headers(), &header::HOST).map(str::to_owned));
    let verdict = check_host(host.as_deref(), port)
        .and_then(|host| check_origin(req.method(), req.headers(), host));
    match verdict {
        Ok(()) => {
            req.extensions_mut().insert(Actor::Operator);
            let mut res = next.run(req).await;
            res.extensions_mut().insert(Actor::Operator);
            res
        }
        Err(problem) => problem.into_response(),
    }
}

fn check_host(host: Option<&str>, port: u16) -> Result<&str, Problem> {
    let is_ours = |host: &&str| {
        let (name, given) = split_port(host);
        let is_name = ["localhost", "127.0.0.1", "[::1]"]
            .iter()
            .any(|name_of_ours| name.eq_ignore_ascii_case(name_of_ours));
        is_name && given == port
    };
    host.filter(is_ours).ok_or_else(|| {
        Problem::new(
            Code::ForeignRequest,
            format!(
                "this server answers to http://127.0.0.1:{port} and http://localhost:{port} only"
            ),
        )
        .hint("Open it by one of these addresses, on the machine that it runs on.")
    })
}

fn split_port(host: &str) -> (&str, u16) {
    match host.rsplit_once(':') {
        Some((name, port)) if !name.is_empty() && !port.ends_with(']') => {
            (name, port.parse().unwrap_or(0))
        }
        _ => (host, 80),
    }
}

/// Fetch metadata (W3C) where the browser sends it, the origin (RFC 6454) where it does not. A
/// program sends neither.
fn check_origin(method: &Method, headers: &HeaderMap, host: &str) -> Result<(), Problem> {
    if method.is_safe() {
        return Ok(());
    }
    let site = headers.get("sec-fetch-site").map(|value| value.as_bytes());
    let is_own_site = matches!(site, None | Some(b"same-origin" | b"none"));
    let origin = headers.get(header::ORIGIN).map(|value| value.as_bytes());
    let is_own_origin = origin
        .is_none_or(|origin| origin.eq_ignore_ascii_case(format!("http://{host}").as_bytes()));
    if is_own_site && is_own_origin {
        return Ok(());
    }
    Err(Problem::new(
        Code::ForeignRequest,
        "another web site asked for this, and it was refused",
    ))
}

/// Refuses pages of other origins a WebSocket, which browsers let them open to everybody although it is a GET.
pub(crate) fn check_socket(headers: &HeaderMap) -> Result<(), Problem> {
    let host = text(headers, &header::HOST).unwrap_or_default();
    check_origin(&Method::POST, headers, host)
}

fn text<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> Option<&'a str> {
    // Two hosts are none: which one counts would be a guess.
    let mut values = headers.get_all(name).iter();
    let first = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_with_the_right_port_is_this_host() {
        let cases = [
            ("127.0.0.1:8480", true),
            ("localhost:8480", true),
            ("LocalHost:8480", true),
            ("[::1]:8480", true),
            ("127.0.0.1", false),
            ("127.0.0.1:8481", false),
            ("127.0.0.1:8480:8480", false),
            ("evil.example:8480", false),
            ("localhost.evil.example:8480", false),
            ("127.0.0.2:8480", false),
            (":8480", false),
            ("::1:8480", false),
            ("", false),
        ];
        for (host, is_ours) in cases {
            assert_eq!(check_host(Some(host), 8480).is_ok(), is_ours, "{host}");
        }
        assert!(check_host(None, 8480).is_err());
        assert!(check_host(Some("localhost"), 80).is_ok());
    }

    #[test]
    fn what_another_site_asks_for_is_refused_unless_it_only_looks() {
        let host = "127.0.0.1:8480";
        // Method, headers, whether it is let in.
        type Case<'a> = (&'a str, &'a [(&'static str, &'a str)], bool);
        let cases: [Case<'_>; 9] = [
            ("POST", &[], true),
            ("POST", &[("origin", "http://127.0.0.1:8480")], true),
            ("POST", &[("sec-fetch-site", "same-origin")], true),
            ("POST", &[("sec-fetch-site", "same-site")], false),
            ("POST", &[("sec-fetch-site", "cross-site")], false),
            ("DELETE", &[("origin", "https://evil.example")], false),
            ("POST", &[("origin", "null")], false),
            (
                "POST",
                &[
                    ("sec-fetch-site", "none"),
                    ("origin", "http://localhost:8480"),
                ],
                false,
            ),
            (
                "GET",
                &[
                    ("sec-fetch-site", "cross-site"),
                    ("origin", "https://a.example"),
                ],
                true,
            ),
        ];
        for (method, given, is_admitted) in cases {
            let mut headers = HeaderMap::new();
            for (name, value) in given {
                headers.insert(*name, value.parse().unwrap());
            }
            let method: Method = method.parse().unwrap();
            let verdict = check_origin(&method, &headers, host);
            assert_eq!(verdict.is_ok(), is_admitted, "{method} {given:?}");
        }
    }
}
