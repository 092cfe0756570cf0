//! Cursors of lists, which are opaque to callers and therefore changed by some: one leads to the rest of the list, or is refused; never a failing store.
#![no_main]

use std::fmt::Debug;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use shared::clock::{SystemClock, SystemIds};
use shared::domain::EventKind;
use shared::google::Google;
use shared::store::{self, EventFilter, Filter, Page, Store, StoreError};
use shared::testing::build;
use tokio::runtime::{Builder, Runtime};

struct Lab {
    runtime: Runtime,
    store: Arc<dyn Store>,
}

/// SQLite with five connections and five events, the ones at the ends of what ids and times can be among them.
static LAB: LazyLock<Lab> = LazyLock::new(|| {
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    let (clock, ids) = (Arc::new(SystemClock::new()), Arc::new(SystemIds));
    let store = store::open("sqlite::memory:", &(clock as _), &(ids as _), &Arc::new(Google::default()));
    let store = store.expect("a store");
    runtime.block_on(async {
        for number in [0, 1, 2, 0x7fff_ffff, u32::MAX] {
            let connection = build::connection(number);
            let mut event = build::event(EventKind::Refreshed, &connection);
            event.at = event.at + Duration::from_secs(number.into());
            store.connect(&connection, build::NOW, &[event]).await.expect("it is connected");
        }
    });
    Lab { runtime, store }
});

/// What a cursor leads to; `None`: it is wrong.
fn led<T: Debug>(page: Result<Page<T>, StoreError>) -> Option<Page<T>> {
    match page {
        Ok(page) => {
            assert!(page.next.is_none() || !page.items.is_empty(), "an empty page leads on");
            Some(page)
        }
        Err(StoreError::Malformed { what: "cursor", .. }) => None,
        Err(error) => panic!("{error:?}"),
    }
}

/// Page by page, a cursor leads to an end of the whole list: nothing twice, nothing left out.
macro_rules! follow {
    ($store:ident . $list:ident, $filter:expr, $cursor:ident) => {
        let filter = $filter;
        let all = $store.$list(&filter, None, 50).await.expect("the list").items;
        let mut read = Vec::new();
        let mut next = Some($cursor.to_owned());
        while let Some(cursor) = next.take() {
            let Some(page) = led($store.$list(&filter, Some(&cursor), 2).await) else { break };
            read.extend(page.items);
            next = page.next;
            assert!(read.len() <= all.len(), "more than there is: {read:?}");
        }
        assert!(all.ends_with(&read), "{read:?} is no end of {all:?}");
    };
}

fuzz_target!(|cursor: &str| {
    let Lab { runtime, store } = &*LAB;
    runtime.block_on(async {
        follow!(store.list, Filter::default(), cursor);
        follow!(store.events, EventFilter::default(), cursor);
    });
});
