//! What platforms put around the functions, small enough to read: a gateway in front, and Lambda's runtime API behind.
//!
//! | file | what |
//! | --- | --- |
//! | `gateway` | a reverse proxy over several copies of each function; which path is whose says `terraform/functions.yaml` |
//! | `runtime_api` | the API by which a process under Lambda gets its work |
//! | `events` | the JSON that AWS makes of a request and of a schedule, and back |
//!
//! `tests/deployed` starts the whole deployment and lives through it; see the README.

mod events;
mod gateway;
mod runtime_api;

pub use events::scheduled;
pub use gateway::{Backend, Gateway};
pub use runtime_api::{InvokeError, RuntimeApi};
