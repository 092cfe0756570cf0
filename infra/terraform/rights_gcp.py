#!/usr/bin/env python3
"""Reads what `terraform show -json` says of a plan or a state of Google's environment, and refuses what must not be.

Terraform's own tests see a module's outputs, not the resources in modules below it; this sees every resource that there
will be. What it expects is written here by hand: derived from the list, it would follow every mistake in the list.
"""

import base64
import json
import pathlib
import re
import sys

KEY_USERS = {"callback", "token-get", "admin", "scheduled-refresh", "scheduled-health"}
ENDPOINTS = {"authorize", "callback", "token-get", "admin"}
JOBS = {"scheduled-refresh", "scheduled-health"}
PUBLIC = {"authorize": "gateway", "callback": "gateway"}
CLOCK = {job: "scheduler" for job in JOBS}


def known_settings():
    """Names of the settings that docs/operations.md lists: whatever else a function is told, it does not hear."""
    text = (pathlib.Path(__file__).parents[2] / "docs/operations.md").read_text()
    rows = re.findall(r"^\| ((?:`[A-Z_<>]+`(?:, )?)+) \|", text, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`([A-Z_<>]+)`", row)}


def resources(module):
    """Every resource of a module and of the modules below it."""
    yield from module.get("resources", [])
    for child in module.get("child_modules", []):
        yield from resources(child)


def strings(value):
    """Every string in a value, keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)


def problems(found, prefix, variables):
    """What is wrong, a sentence each. A state does not know its variables (`None`), so what they may change is not looked at."""
    by_type = {}
    for resource in found:
        if resource["mode"] == "managed":
            by_type.setdefault(resource["type"], []).append(resource["values"])
    every = by_type.get

    def function(account):
        """The function that an account is for, or whatever else was named."""
        name = account.removeprefix("serviceAccount:").split("@")[0]
        return name.removeprefix(prefix + "-") if name.startswith(prefix + "-") else account

    for resource in found:
        for text in strings(resource.get("values", {})):
            if text in ("allUsers", "allAuthenticatedUsers"):
                yield f"{resource['address']} is for {text}"

    # The key: one binding, for whom it is meant, and it can't go away.
    bindings = [v for kind in by_type if kind.startswith("google_kms_") and "_iam_" in kind for v in every(kind)]
    users = {function(m) for v in bindings for m in v.get("members") or [v.get("member")]}
    if users != KEY_USERS:
        yield f"the key is for {sorted(users)}, and not for {sorted(KEY_USERS)}"
    for key in every("google_kms_crypto_key", []):
        if key["rotation_period"] != "7776000s":
            yield f"the key is rotated every {key['rotation_period']}"

    # Cloud Run: each function as itself, and invoked by whom it is meant for.
    invokers = {}
    for kind in by_type:
        if kind.startswith("google_cloud_run_v2_service_iam_"):
            for v in every(kind):
                invokers.setdefault(v["name"], set()).update(v.get("members") or [v.get("member")])
    timeouts = {}
    services = {}
    known = known_settings()
    for service in every("google_cloud_run_v2_service", []):
        name = service["name"].removeprefix(prefix + "-")
        template = service["template"][0]
        services[name] = service
        timeouts[name] = int(template["timeout"].rstrip("s"))
        if function(template["service_account"]) != name:
            yield f"{name} runs as {template['service_account']}"
        for env in template["containers"][0]["env"]:
            if re.sub(r"^PROVIDER_[A-Z0-9_]+_CLIENT", "PROVIDER_<ID>_CLIENT", env["name"]) not in known:
                yield f"{name} is told {env['name']}, which docs/operations.md does not know"
        if service.get("invoker_iam_disabled"):
            yield f"{name} does not ask who invokes it"
        expected = (PUBLIC | CLOCK).get(name)
        actual = {function(m) for m in invokers.get(service["name"], set())}
        if expected and actual != {expected}:
            yield f"{name} is invoked by {sorted(actual)}, and not by the {expected} alone"
        if name in JOBS and service["ingress"] != "INGRESS_TRAFFIC_INTERNAL_ONLY":
            yield f"{name} can be called from outside"
        limits = template["containers"][0]["resources"][0]["limits"]
        if variables is None or name in variables["sizes"]:
            continue
        if limits["cpu"] != "1" or int(limits["memory"].rstrip("Mi")) > 512:
            yield f"{name} is larger than the defaults: {limits}"
    if set(services) != ENDPOINTS | JOBS:
        yield f"the services are {sorted(services)}"

    # Secrets: each to its readers.
    readers = {}
    for v in every("google_secret_manager_secret_iam_member", []):
        readers.setdefault(v["secret_id"].split("/")[-1].removeprefix(prefix + "-"), set()).add(function(v["member"]))
    for secret, names in readers.items():
        allowed = {"attempt-key": ENDPOINTS, "callers": ENDPOINTS}.get(secret, ENDPOINTS | JOBS)
        allowed = KEY_USERS if secret.endswith("-client-secret") else allowed
        if not names <= allowed:
            yield f"{secret} is read by {sorted(names - allowed)} as well"
    for version in every("google_secret_manager_secret_version", []):
        if version.get("secret_data"):
            yield f"the value of {version['secret']} stands in the state"

    # The project as a whole: accounts of functions have the database, on a condition, and nothing else.
    for v in every("google_project_iam_member", []):
        # Whom Google has for its agent is not known before it is there; everybody else is.
        if not v.get("member"):
            if v["role"] != "roles/apigateway.serviceAgent":
                yield f"somebody who is not known has {v['role']} on the project"
        elif function(v["member"]) in ENDPOINTS | JOBS | {"gateway", "scheduler"}:
            if v["role"] != "roles/datastore.user" or not v.get("condition"):
                yield f"{v['member']} has {v['role']} on the project"

    # The clock: to the right function, for its audience, with patience.
    for job in every("google_cloud_scheduler_job", []):
        target = job["http_target"][0]
        token = target["oidc_token"][0]
        name = next((f for f in JOBS if job["name"].startswith(f"{prefix}-{f}")), None)
        if name is None or not target["uri"].startswith(f"https://{prefix}-{name}-"):
            yield f"{job['name']} calls {target['uri']}"
        elif token["audience"] != target["uri"] or function(token["service_account_email"]) != "scheduler":
            yield f"{job['name']} proves itself with {token}"
        elif int(job["attempt_deadline"].rstrip("s")) <= timeouts[name]:
            yield f"{job['name']} stops waiting before {name} is through"

    # The gateway: public functions only.
    for config in every("google_api_gateway_api_config", []):
        document = json.loads(base64.b64decode(config["openapi_documents"][0]["document"][0]["contents"]))
        if set(document["x-google-api-management"]["backends"]) != set(PUBLIC):
            yield "the gateway leads to other functions than the public ones"
        for path in document["paths"]:
            if path.startswith(("/api/v1/tokens", "/api/v1/admin", "/docs", "/openapi.json")):
                yield f"the gateway lets {path} through"

    # What must not be lost.
    for database in every("google_firestore_database", []):
        if database["point_in_time_recovery_enablement"] != "POINT_IN_TIME_RECOVERY_ENABLED":
            yield "the database can't be set back to a point in time"
        wanted = variables is not None and variables["deletion_protection"] not in (False, "false")
        if wanted and database["delete_protection_state"] != "DELETE_PROTECTION_ENABLED":
            yield "the database can be deleted"
    if not any(field.get("ttl_config") for field in every("google_firestore_field", [])):
        yield "no document of the database ends by itself"
    for kind in ["google_kms_crypto_key", "google_firestore_database", "google_firestore_backup_schedule",
                 "google_api_gateway_gateway", "google_cloud_scheduler_job", "google_logging_project_sink"]:
        if not every(kind):
            yield f"there is no {kind}"


def main():
    shown = json.load(sys.stdin)
    values = shown.get("planned_values") or shown["values"]
    prefix = next(
        r["values"]["name"] for r in resources(values["root_module"]) if r["type"] == "google_cloud_run_v2_service"
    )
    # Any service's name is PREFIX-FUNCTION.
    prefix = next(prefix.removesuffix("-" + f) for f in ENDPOINTS | JOBS if prefix.endswith("-" + f))
    variables = {name: v.get("value") for name, v in shown["variables"].items()} if "variables" in shown else None
    wrong = list(problems(list(resources(values["root_module"])), prefix, variables))
    for problem in wrong:
        print(problem, file=sys.stderr)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
