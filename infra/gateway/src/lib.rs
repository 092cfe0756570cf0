//! The one list of functions (`terraform/functions.yaml`), and what is derived from it in Rust.
//!
//! | file | what |
//! | --- | --- |
//! | `functions` | the list, read and held against its own rules |
//! | `function` | one of its entries |
//! | `route` | a method and a path, and which requests they stand for |
//! | `definition` | the OpenAPI definition that Google's API Gateway is given |
//!
//! Terraform reads the same file (`terraform/modules/functions`); `tests/it` holds it against `functions/`.

mod definition;
mod function;
mod functions;
mod route;

pub use definition::{Definition, DefinitionError};
pub use function::{Exposure, Function, Secret, Store, Use};
pub use functions::{Functions, FunctionsError};
pub use route::{Route, RouteError, Table};
