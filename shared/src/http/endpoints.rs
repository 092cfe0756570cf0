//! The endpoints of a function, whose OpenAPI document is built only when somebody asks for it: a process starts without.

use std::sync::Arc;

use axum::Router;
use axum::routing::MethodRouter;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

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

/// The endpoints of a function.
#[derive(Default)]
pub struct Endpoints {
    router: Router<Arc<Context>>,
    documented: Vec<Documented>,
}

impl Endpoints {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an endpoint that stands in the document.
    #[must_use]
    pub fn endpoint(mut self, endpoint: Endpoint) -> Self {
        self.documented.push(endpoint.documented);
        Self { router: self.router.route(&endpoint.path, endpoint.methods), ..self }
    }

    /// Adds a page, which does not.
    #[must_use]
    pub fn route(self, path: &str, methods: MethodRouter<Arc<Context>>) -> Self {
        Self { router: self.router.route(path, methods), ..self }
    }

    /// Adds those of another function.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.documented.extend(other.documented);
        Self { router: self.router.merge(other.router), ..self }
    }

    /// What serves them.
    pub fn into_router(self) -> Router<Arc<Context>> {
        self.router
    }

    /// The document, with `head` at its beginning.
    #[must_use]
    pub fn document(&self, head: OpenApi) -> OpenApi {
        let router = OpenApiRouter::with_openapi(head);
        self.documented.iter().fold(router, |router, documented| router.routes(documented())).into_openapi()
    }
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
