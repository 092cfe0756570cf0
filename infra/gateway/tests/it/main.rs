//! The list of functions and the gateway's definition, held against the code.
#![expect(clippy::unwrap_used, reason = "in a test the panic is the report")]

mod definition;
mod functions;
