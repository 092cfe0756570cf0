# Verbs, no logic: each is a line or two that anybody could type.

.DEFAULT_GOAL := help
.PHONY: help run test test-deployed soak fuzz check code-check terraform-check terraform-apply api-key verify-audit fmt openapi gateway build package image bench

# What is deployed; `make package FUNCTIONS=token-get ARCH=arm64` packages one of them for the other architecture.
FUNCTIONS := authorize callback token-get admin scheduled-refresh scheduled-health
ARCH := x86-64
# How many rounds `make soak` goes through, from which seed.
ROUNDS := 200
SEED := 0
# For how long `make fuzz` feeds which parsers.
SECONDS_EACH := 20
TARGETS := callback_query cursors token_responses provider_files callers_files
# Where `make image` takes them from.
BUILT := target/release

help: ## Says what there is to do
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

run: ## Runs the whole service on this machine, with a pretended Slack and Gmail
	cargo run -p standalone

test: ## Runs every test (needs cargo-nextest)
	cargo nextest run --workspace --locked

test-deployed: ## Runs the functions as they are deployed, with everything around them, and breaks it
	cargo build --workspace --bins --features cloud --locked
	cargo nextest run --workspace --test deployed --test soak --ignore-default-filter --locked

soak: ## Goes through hundreds of rounds of refreshes with faults, then makes calls at random for 15 minutes (needs infra/schemathesis/requirements.txt)
	cargo build --workspace --bins --features cloud --locked
	target/debug/soak --rounds $(ROUNDS) --seed $(SEED)
	infra/schemathesis/run 900

fuzz: ## Feeds made-up input to what reads input first, SECONDS_EACH for each of TARGETS (needs cargo-fuzz)
	set -e; for target in $(TARGETS); do \
		mkdir -p target/fuzz/corpus/$$target; \
		cargo fuzz run --fuzz-dir infra/fuzz --target-dir target/fuzz --sanitizer none --dev $$target \
			target/fuzz/corpus/$$target infra/fuzz/corpus/$$target -- \
			-max_total_time=$(SECONDS_EACH) -timeout=5 -verbosity=0 -print_final_stats=1; done

check: code-check terraform-check deploy-check ## Looks without running the service: code-check, terraform-check, deploy-check

code-check: ## Looks at the code: format, lints, dependencies, links in its documentation (needs cargo-deny)
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo clippy -p standalone --no-default-features --locked -- -D warnings
	cargo clippy --no-default-features --features cloud --locked $(addprefix -p ,$(FUNCTIONS)) -- -D warnings
	cargo deny --locked check bans licenses sources
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked

terraform-check: ## Looks at all that is below terraform/: format, validity, tests, READMEs (needs terraform 1.11)
	infra/terraform/check.sh
	infra/terraform/costs.py --check docs/costs.md

terraform-apply: ## Applies both environments to pretended clouds, and tries every route and trigger (needs infra/terraform/requirements.txt)
	infra/terraform/apply-gcp.sh
	infra/terraform/apply-aws.sh
	infra/terraform/checkov.sh
	infra/gateway/validate.sh
	infra/terraform/try-applied.sh

api-key: ## Makes an API key for a service: make api-key NAME=billing
	@cargo run --quiet -p operator -- api-key $(NAME)

verify-audit: ## Verifies an audit log: make verify-audit LOG=data/audit.log KEY_URL=file:data/key
	@KEY_URL=$(KEY_URL) cargo run --quiet -p operator -- verify-audit $(LOG)

fmt: ## Formats the code
	cargo fmt --all

openapi: ## Writes docs/openapi.json anew from the code
	cargo run --quiet -p standalone -- --openapi > docs/openapi.json.new
	mv docs/openapi.json.new docs/openapi.json

gateway: ## Writes the definition of Google's API Gateway anew from terraform/functions.yaml and docs/openapi.json
	cargo run --quiet -p gateway > terraform/modules/gcp/gateway/openapi.json.tftpl.new
	mv terraform/modules/gcp/gateway/openapi.json.tftpl.new terraform/modules/gcp/gateway/openapi.json.tftpl

build: ## Builds a binary per function, as it ships, in target/release
	cargo build --release --locked --no-default-features --features cloud $(addprefix -p ,$(FUNCTIONS))
	cargo build --release --locked -p standalone
	@infra/package/sizes.sh $(addprefix target/release/,$(FUNCTIONS) standalone)

package: ## Packages the functions for Lambda, in target/lambda (needs infra/package/requirements.txt)
	infra/package/package.sh $(ARCH) $(FUNCTIONS)

image: ## Makes an image of each function that was built, in target/image, and starts it
	set -e; for function in $(FUNCTIONS); do \
		infra/container/layout.py $$function $(BUILT)/$$function target/image/$$function; \
		infra/container/try.sh target/image/$$function; done

bench: ## Measures the service against a bare route, and prints a table
	cargo run --profile bench --locked -p bench -- all

.PHONY: deploy release plan secrets outputs smoke rollback destroy deploy-check
# An environment is a variable file: ENV=gcp/dev is terraform/environments/gcp/dev.tfvars. docs/deploy.md says what each does.
deploy: ## Builds, plans, asks, applies, tries: make deploy ENV=gcp/dev
	@infra/deploy/deploy $(ENV)

release: ## Builds and uploads what would be deployed, and no more: make release ENV=gcp/dev
	@infra/deploy/release $(ENV)

plan: ## Shows what deploying would change: make plan ENV=gcp/dev
	@infra/deploy/plan $(ENV)

secrets: ## Gives an environment's secrets their values, or new ones: make secrets ENV=gcp/dev SET=callers
	@infra/deploy/secrets $(ENV)

outputs: ## Prints an environment's URLs, redirect URIs and the like: make outputs ENV=gcp/dev
	@infra/deploy/outputs $(ENV)

smoke: ## Tries a deployed environment from outside: make smoke ENV=gcp/dev
	@infra/deploy/smoke $(ENV)

rollback: ## Goes back to the release before: make rollback ENV=gcp/dev
	@infra/deploy/rollback $(ENV)

destroy: ## Takes an environment away but for data and keys: make destroy ENV=gcp/dev
	@infra/deploy/destroy $(ENV)

deploy-check: ## Tries what deploys, against a cloud that is a folder (needs terraform, jq)
	infra/deploy/tests/run
	infra/deploy/tests/stays
