//! Endpoint groups under Lambda: events of an HTTP API (payload 2.0) or a function URL, answered by the router as it is.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::HeaderValue;
use axum::http::uri::{PathAndQuery, Uri};
use axum::response::Response;
use lambda_http::lambda_runtime::Runtime;
use lambda_http::request::RequestContext;
use lambda_http::tower::{Service, ServiceExt, service_fn};
use lambda_http::{Adapter, RequestExt};

use super::{ended, settle, time_left};
use crate::flow::Context;
use crate::http::{InvocationId, TimeLeft};

pub(in crate::entry) async fn http(ctx: Arc<Context>, router: Router) -> ExitCode {
    // Not `lambda_http::run`: it opens a span per invocation, and log lines name the invocation already.
    ended(Runtime::new(Adapter::from(service(ctx, router))).run().await)
}

/// What answers the requests that `lambda_http` makes of events.
pub(super) fn service(
    ctx: Arc<Context>,
    router: Router,
) -> impl Service<
    lambda_http::Request,
    Response = Response,
    Error = Infallible,
    Future = impl Future<Output = Result<Response, Infallible>> + Send,
> {
    service_fn(move |mut request: lambda_http::Request| {
        let (ctx, router) = (Arc::clone(&ctx), router.clone());
        async move {
            let invocation = request.lambda_context_ref().cloned().unwrap_or_default();
            let uri = routed(&request, ctx.config.public_url.path());
            *request.uri_mut() = uri;
            let peer = peer(&request);
            let extensions = request.extensions_mut();
            peer.map(|peer| extensions.insert(ConnectInfo(peer)));
            time_left(&ctx, &invocation).map(|left| extensions.insert(TimeLeft(left)));
            HeaderValue::from_str(&invocation.request_id).map(|id| extensions.insert(InvocationId(id))).ok();
            let answer = router.oneshot(request.map(Body::new)).await;
            settle(&ctx, time_left(&ctx, &invocation)).await;
            answer
        }
    })
}

/// Who spoke with the gateway, by its own word and not a header's. It does not say from which port.
fn peer(request: &lambda_http::Request) -> Option<SocketAddr> {
    match request.extensions().get() {
        Some(RequestContext::ApiGatewayV2(context)) => {
            let address: IpAddr = context.http.source_ip.as_deref()?.parse().ok()?;
            Some(SocketAddr::new(address, 0))
        }
        Some(_) | None => None,
    }
}

/// The address that our router knows: without the stage, which an HTTP API puts first unless it is `$default`,
/// and without the path of `PUBLIC_URL`, under which a custom domain may have the API.
fn routed(request: &lambda_http::Request, base: &str) -> Uri {
    let stage = match request.extensions().get() {
        Some(RequestContext::ApiGatewayV2(context)) => context.stage.as_deref(),
        Some(_) | None => None,
    };
    let path = request.uri().path();
    let path = stage.map_or(path, |stage| below(path, stage));
    let path = below(path, base);
    let query = request.uri().query().map_or_else(String::new, |query| format!("?{query}"));
    let routed = format!("{path}{query}").parse::<PathAndQuery>();
    routed.map_or_else(|_| request.uri().clone(), Uri::from)
}

/// The part of `path` below `/prefix`; all of it when it is elsewhere.
fn below<'a>(path: &'a str, prefix: &str) -> &'a str {
    let prefix = prefix.trim_matches('/');
    let rest = path.strip_prefix('/').and_then(|path| path.strip_prefix(prefix));
    match rest {
        _ if prefix.is_empty() => path,
        Some("") => "/",
        Some(rest) if rest.starts_with('/') => rest,
        Some(_) | None => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_taken_off_only_where_it_is_a_whole_segment() {
        for (path, prefix, rest) in [
            ("/prod/health", "prod", "/health"),
            ("/prod", "prod", "/"),
            ("/production/health", "prod", "/production/health"),
            ("/health", "prod", "/health"),
            ("/health", "/", "/health"),
            ("/a/b/health", "/a/b/", "/health"),
        ] {
            assert_eq!(below(path, prefix), rest, "{path} below {prefix}");
        }
    }
}
