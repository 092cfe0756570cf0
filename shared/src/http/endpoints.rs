//! The endpoints of a function, whose OpenAPI document is built only when somebody asks for it: a process starts without.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Router;
use axum::handler::Handler;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, get};
use utoipa::openapi::OpenApi;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use super::cors::cors;
use super::document;
use super::guard::{Gate, guard};
use super::rule::Rule;
use crate::flow::Context;

/// One documented endpoint; made by [`endpoint!`](crate::http::endpoint).
#[doc(hidden)]
pub struct Endpoint {
    pub path: String,
    pub methods: MethodRouter<Arc<Context>>,
    pub documented: Documented,
}

/// Route and document of an endpoint.
type Documented = fn() -> UtoipaMethodRouter<Arc<Context>>;

/// The endpoints of a function, each with the rule of who may call it.
#[derive(Default)]
pub struct Endpoints {
    endpoints: Vec<(Rule, Endpoint)>,
    pages: Vec<(String, MethodRouter)>,
}

impl Endpoints {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an endpoint that stands in the document.
    #[must_use]
    pub fn endpoint(mut self, rule: Rule, endpoint: Endpoint) -> Self {
        self.endpoints.push((rule, endpoint));
        self
    }

    /// Adds a page, which does not, and which anybody may see: it knows nothing of what is stored.
    #[must_use]
    pub fn page<H: Handler<T, ()>, T: 'static>(mut self, path: &str, page: H) -> Self {
        self.pages.push((path.to_owned(), get(page)));
        self
    }

    /// Adds those of another function.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.endpoints.extend(other.endpoints);
        self.pages.extend(other.pages);
        self
    }

    /// Every method and path that is answered; OPTIONS where pages of other origins may call, if any may (`CORS_ORIGINS`).
    #[must_use]
    pub fn routes(&self) -> BTreeSet<(&'static str, String)> {
        let mut routes: BTreeSet<_> = self.pages.iter().map(|(path, _)| ("GET", path.clone())).collect();
        for (rule, endpoint) in &self.endpoints {
            for (path, item) in document_of(endpoint).paths.paths {
                let answered = [
                    ("GET", item.get.is_some()),
                    ("POST", item.post.is_some()),
                    ("PUT", item.put.is_some()),
                    ("PATCH", item.patch.is_some()),
                    ("DELETE", item.delete.is_some()),
                    ("OPTIONS", rule.is_for_sessions()),
                ];
                let methods = answered.into_iter().filter(|(_, answered)| *answered);
                routes.extend(methods.map(|(method, _)| (method, path.clone())));
            }
        }
        routes
    }

    /// What serves them, each behind its guard.
    pub fn into_router(self, ctx: &Arc<Context>) -> Router {
        let cors = cors(&ctx.config.cors_origins);
        let mut router = Router::new();
        for (rule, endpoint) in self.endpoints {
            let gate = Gate { ctx: Arc::clone(ctx), rule };
            let mut methods = endpoint.methods.route_layer(from_fn_with_state(gate, guard));
            if rule.is_for_sessions() && !ctx.config.cors_origins.is_empty() {
                // What is asked before the call itself; the layer answers it.
                methods = methods.options(|| async { StatusCode::NO_CONTENT }).layer(cors.clone());
            }
            router = router.route(&endpoint.path, methods);
        }
        for (path, methods) in self.pages {
            router = router.route(&path, methods.with_state(()));
        }
        router.with_state(Arc::clone(ctx))
    }

    /// The document, with `head` at its beginning.
    #[must_use]
    pub fn document(&self, head: OpenApi) -> OpenApi {
        let documents = self.endpoints.iter().map(|(rule, endpoint)| {
            let mut one = document_of(endpoint);
            document::complete(&mut one, *rule);
            one
        });
        let mut document = documents.fold(head, |mut all, one| {
            all.merge(one);
            all
        });
        document::describe_credentials(&mut document);
        document
    }
}

fn document_of(endpoint: &Endpoint) -> OpenApi {
    OpenApiRouter::<Arc<Context>>::new().routes((endpoint.documented)()).into_openapi()
}

/// An endpoint by its handler, which carries `#[utoipa::path]`: `endpoint!(get::get)`.
#[doc(hidden)]
#[macro_export]
macro_rules! __endpoint {
    ($($handler:tt)+) => {{
        use utoipa_axum::PathItemExt as _;
        let methods = utoipa_axum::routes!(@path [methods()] of $($handler)+);
        $crate::http::Endpoint {
            path: utoipa_axum::routes!(@path [path()] of $($handler)+),
            methods: methods.iter().fold(axum::routing::MethodRouter::new(), |router, method| {
                router.on(method.to_method_filter(), $($handler)+)
            }),
            documented: || utoipa_axum::routes!($($handler)+),
        }
    }};
}
