//! The fake over HTTP, as any client of Cloud KMS meets it.
#![expect(clippy::unwrap_used, reason = "in a test the panic is the report")]

mod control;
mod process;
mod rules;
mod support;
