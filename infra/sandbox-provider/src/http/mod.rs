//! HTTP as both providers need it: reading a call, client authentication, PKCE, answering, routing.

pub(crate) mod answer;
pub(crate) mod call;
pub(crate) mod client_auth;
pub(crate) mod pkce;
pub(crate) mod redirect;
pub(crate) mod respond;
pub(crate) mod routes;
