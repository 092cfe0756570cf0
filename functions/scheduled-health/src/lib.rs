//! The `scheduled-health` job: every hour, the connections whose check is due. The story is in `shared/src/flow/sweep.rs`.

use std::sync::Arc;

use shared::domain::JobReport;
use shared::flow::sweep::{self, Bounds};
use shared::flow::{Context, actor};
use shared::store::StoreError;

/// Checks what is due, and retries revocations that are pending.
pub async fn run(ctx: Arc<Context>, bounds: Bounds) -> Result<JobReport, StoreError> {
    let run = ctx.ids.uuid().to_string();
    actor::scope("job:scheduled-health".into(), run, sweep::health(&ctx, bounds, false)).await
}
