//! Cursors of lists, which are opaque to callers and therefore changed by some: a page, or `cursor` is wrong; never a failing store.
#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use shared::app::{self, Parts};
use shared::config::Config;
use shared::flow::Context;
use shared::store::{EventFilter, Filter, StoreError};
use tokio::runtime::{Builder, Runtime};

static LAB: LazyLock<(Runtime, Arc<Context>)> = LazyLock::new(|| {
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    let folder = std::env::temp_dir().join(format!("fuzz-cursors-{}", std::process::id()));
    let vars = [("STORE_URL", "sqlite::memory:"), ("AUDIT", "off"), ("DATA_DIR", folder.to_str().expect("UTF-8"))];
    let config = Config::from_vars(vars).expect("a configuration");
    let ctx = app::build(config, Parts::system("fuzz", true)).expect("a context");
    (runtime, ctx)
});

fn check<T>(page: Result<T, StoreError>) {
    match page {
        Ok(_) | Err(StoreError::Malformed { what: "cursor", .. }) => {}
        Err(error) => panic!("{error:?}"),
    }
}

fuzz_target!(|cursor: &str| {
    let (runtime, ctx) = &*LAB;
    runtime.block_on(async {
        check(ctx.store.list(&Filter::default(), Some(cursor), 50).await);
        check(ctx.store.events(&EventFilter::default(), Some(cursor), 50).await);
    });
});
