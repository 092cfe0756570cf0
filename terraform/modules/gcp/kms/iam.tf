# Who may use the key.

# A binding, not a member each: it says who has the role and takes it from everybody else, so what was granted by hand shows in
# the next plan and goes with it. Rights on the project or above reach the key too; nothing here grants any.
resource "google_kms_crypto_key_iam_binding" "users" {
  crypto_key_id = google_kms_crypto_key.token.id
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  members       = toset(values(var.users))
}
