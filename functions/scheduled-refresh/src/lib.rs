//! The `scheduled-refresh` job: every 30 minutes, what expires within 60. The story is in `shared/src/flow/sweep.rs`.

use std::sync::Arc;

use shared::domain::JobReport;
use shared::flow::sweep::{self, Bounds};
use shared::flow::{Context, actor};
use shared::store::StoreError;

/// Refreshes what is due.
pub async fn run(ctx: Arc<Context>, bounds: Bounds) -> Result<JobReport, StoreError> {
    let run = ctx.ids.uuid().to_string();
    actor::scope("job:scheduled-refresh".into(), run, sweep::refresh(&ctx, bounds)).await
}
