//! What callers see: problems, checked input, the headers of every answer, pages, and who is asking.

mod address;
mod caller;
mod cors;
mod docs_page;
mod endpoints;
mod extract;
mod faults;
mod health;
mod layers;
mod limit;
mod page;
mod problems;
pub mod ratelimit;
mod respond;
mod schema;
mod trace;
mod view;

pub use crate::__endpoint as endpoint;
pub use address::ClientAddress;
pub use caller::{Caller, Session, require_operator};
pub use cors::cors;
pub use docs_page::docs_page;
pub use endpoints::{Endpoint, Endpoints};
pub use extract::{Body, Id, OptionalBody, Query, read_body};
pub use health::health_endpoint;
pub use layers::{BODY_LIMIT, REQUEST_TIMEOUT, TimeLeft, layers, layers_within};
pub use limit::Limit;
pub use page::{html, prefers_html, result_page, scripted_page};
pub use problems::{lookup_key, probe_problem, read_problem, renew_problem};
pub use respond::{AuthorizeHint, Candidate, FieldProblem, Problem};
pub use trace::{InvocationId, Trace, request_id, with_trace};
pub use view::{ConnectionView, CredentialView};
