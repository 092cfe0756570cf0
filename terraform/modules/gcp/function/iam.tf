# Who may invoke the service: these and nobody else; who was added by hand is taken out.
#
# A binding, not members: that a gateway is the sole invoker of what stands behind it is what the function's trust in
# X-Forwarded-Authorization rests on. Rights on the whole project (owner, editor, run.admin, run.invoker) are beside it.
# Without any invoker there is no binding, so what was given by hand stays then.

resource "google_cloud_run_v2_service_iam_binding" "invokers" {
  count = length(var.invokers) > 0 ? 1 : 0

  project  = google_cloud_run_v2_service.this.project
  location = google_cloud_run_v2_service.this.location
  name     = google_cloud_run_v2_service.this.name
  role     = "roles/run.invoker"
  members  = sort(values(var.invokers))
}
