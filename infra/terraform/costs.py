#!/usr/bin/env python3
"""Reckons what a month costs for some numbers of connections on either cloud, and prints the tables of docs/costs.md.

    costs.py                     prints them
    costs.py --write FILE        puts them between the marks of the file
    costs.py --check FILE        fails when the file says something else
    costs.py 250000 calls=40     prints them for 250,000 connections with an assumption changed

Change a number here, and the tables follow. Nothing but the standard library; nothing is asked of any cloud.
"""

import sys
from math import ceil
from pathlib import Path

MONTH = 30 * 86400  # seconds
HOURS = 730

# Assumptions. What `of` a count means is per connection and day, unless it says otherwise.
A = {
    "hourly": (0.7, "share of connections whose tokens live an hour (Google, Microsoft); the others live twelve (Slack)"),
    "refreshes_hourly": (24.0, "refreshes a day of a token that lives an hour: due at half of its life, so in every second run"),
    "refreshes_slow": (2.2, "refreshes a day of one that lives twelve: in its last hour"),
    "probes": (24.0, "health checks a day"),
    "calls": (10.0, "calls of tokens/get a day"),
    "cold": (0.9, "share of them that the cache can't answer alone: calls that lie more than 30 s apart read the selection"),
    "connects": (0.01, "connects a day: each connection once in a hundred days"),
    "per_tenant": (100.0, "connections of a tenant: each tenant's data key is unwrapped by each process that needs it, at most every 15 min"),
    "provider_seconds": (0.3, "what a refresh takes at the provider"),
    "probe_seconds": (0.2, "what a health check takes"),
    "call_seconds": (0.02, "what a tokens/get takes, Redis and Firestore included"),
    "audit_bytes": (600.0, "a line of the audit log"),
    "request_bytes": (900.0, "the platform's own line of a request"),
    "event_bytes": (1000.0, "an event of a connection in Firestore, with its index entries; kept 90 days"),
    "document_bytes": (8000.0, "a connection with its selection and index entries"),
    "backups": (7.0, "daily backups that are kept, each a whole copy"),
    "cached_bytes": (2500.0, "a cached token with its selection in Redis; kept 15 min"),
    "database_bytes": (3000.0, "what a read of Firestore brings, or a write takes, with gRPC and TLS"),
    "key_use_bytes": (1000.0, "Google's own line of a use of the key, on Google (`data_access` of the audit module)"),
}

# Prices in USD, list, of us-central1 and us-east-1. seen: read in a copy of the vendor's page, or the same in several places, in November 2026.
# memory: not found in readable form; look before you rely on it.
P = {
    "run_cpu": (0.000024, "vCPU second, requests only", "seen", "https://cloud.google.com/run/pricing"),
    "run_memory": (0.0000025, "GiB second, requests only", "seen", "https://cloud.google.com/run/pricing"),
    "run_request": (0.40e-6, "request; 2 million free", "seen", "https://cloud.google.com/run/pricing"),
    "gateway": (3.00e-6, "call of API Gateway; 2 million free", "seen", "https://cloud.google.com/api-gateway/docs/pricing"),
    "fs_read": (0.03e-5, "document read", "seen", "https://cloud.google.com/firestore/pricing"),
    "fs_write": (0.09e-5, "document written", "seen", "https://cloud.google.com/firestore/pricing"),
    "fs_delete": (0.01e-5, "document deleted", "memory", "https://cloud.google.com/firestore/pricing"),
    "fs_storage": (0.15, "GiB month stored; as much again for point-in-time recovery is not reckoned", "memory", "https://cloud.google.com/firestore/pricing"),
    "fs_backup": (0.03, "GiB month of backups", "memory", "https://cloud.google.com/firestore/pricing"),
    "kms": (0.03e-4, "operation of Cloud KMS, software key", "seen", "https://cloud.google.com/kms/pricing"),
    "kms_version": (0.06, "key version and month", "seen", "https://cloud.google.com/kms/pricing"),
    "log": (0.50, "GiB into Cloud Logging, 30 days kept; 50 GiB free", "seen", "https://cloud.google.com/stackdriver/pricing"),
    "log_kept": (0.01, "GiB and further month in Cloud Logging", "seen", "https://cloud.google.com/stackdriver/pricing"),
    "redis_basic": (0.049, "GiB hour, Memorystore basic, up to 4 GiB", "memory", "https://cloud.google.com/memorystore/docs/redis/pricing"),
    "redis_standard": (0.064, "GiB hour, Memorystore standard, up to 4 GiB", "memory", "https://cloud.google.com/memorystore/docs/redis/pricing"),
    "redis_large": (0.054, "GiB hour, Memorystore standard, 5 to 10 GiB", "memory", "https://cloud.google.com/memorystore/docs/redis/pricing"),
    "connector": (0.0084, "hour of an e2-micro, of which a connector has two", "memory", "https://cloud.google.com/vpc/pricing"),
    "egress_google": (0.12, "GiB from Google to the internet", "seen", "https://cloud.google.com/vpc/network-pricing"),
    "lambda_second": (0.0000133334, "GB second of Lambda, arm64; 400,000 free", "seen", "https://aws.amazon.com/lambda/pricing/"),
    "lambda_request": (0.20e-6, "request; 1 million free", "seen", "https://aws.amazon.com/lambda/pricing/"),
    "http_api": (1.00e-6, "call of an HTTP API, the first 300 million", "seen", "https://aws.amazon.com/api-gateway/pricing/"),
    "http_api_more": (0.90e-6, "each further one", "seen", "https://aws.amazon.com/api-gateway/pricing/"),
    "nat": (0.045, "hour of a NAT gateway", "seen", "https://aws.amazon.com/vpc/pricing/"),
    "nat_data": (0.045, "GB through it, in either direction", "seen", "https://aws.amazon.com/vpc/pricing/"),
    "address": (0.005, "hour of a public IPv4 address", "seen", "https://aws.amazon.com/vpc/pricing/"),
    "egress_aws": (0.09, "GB from AWS to the internet", "seen", "https://aws.amazon.com/ec2/pricing/on-demand/"),
    "cw_log": (0.50, "GB into CloudWatch Logs", "seen", "https://aws.amazon.com/cloudwatch/pricing/"),
    "cw_alarm": (0.10, "alarm and month, by metric", "seen", "https://aws.amazon.com/cloudwatch/pricing/"),
    "cw_metric": (0.30, "metric of one's own and month", "seen", "https://aws.amazon.com/cloudwatch/pricing/"),
    "firehose": (0.029, "GB through Firehose", "memory", "https://aws.amazon.com/firehose/pricing/"),
    "s3": (0.023, "GB month in S3", "memory", "https://aws.amazon.com/s3/pricing/"),
    "secret": (0.40, "secret and month", "memory", "https://aws.amazon.com/secrets-manager/pricing/"),
    "cmk": (1.00, "key of AWS KMS and month", "memory", "https://aws.amazon.com/kms/pricing/"),
    "valkey_small": (0.0128, "hour of a cache.t4g.micro, Valkey", "memory", "https://aws.amazon.com/elasticache/pricing/"),
    "valkey_large": (0.1264, "hour of a cache.m7g.large, Valkey", "memory", "https://aws.amazon.com/elasticache/pricing/"),
}

# Sizes that go with a number of connections: shards of each job, provider calls in flight in a shard, Redis nodes.
SIZES = [  # up to connections, shards, concurrency, nodes
    (10_000, 1, 32, 1),
    (1_000_000, 4, 32, 2),
    (float("inf"), 16, 256, 2),
]


def reckon(connections, a, p):
    """Everything that is counted in a month, and what it costs: two lists of (item, formula, dollars)."""
    c, days = connections, 30
    shards, concurrency, nodes = next(rest for limit, *rest in SIZES if c <= limit)
    tenants = max(1, c / a["per_tenant"])
    refreshes = c * days * (a["hourly"] * a["refreshes_hourly"] + (1 - a["hourly"]) * a["refreshes_slow"])
    probes, calls, connects = (c * days * a[name] for name in ("probes", "calls", "connects"))

    # Decision 0009: due 1 read; lease 1, 1; save 1, 2 · due 1; verdict 1, 1 · a cold call 2, its count 0, 1 · connect 3, 3.
    reads = 3 * refreshes + 2 * probes + 2 * calls * a["cold"] + 3 * connects
    writes = 3 * refreshes + probes + calls + 3 * connects
    deletes = refreshes + connects + c * days
    gib = 2.0**30
    stored = (c * a["document_bytes"] + 3 * refreshes * a["event_bytes"]) / gib
    firestore = [
        ("Firestore, reads", "(3 × refreshes + 2 × checks + 2 × cold calls + 3 × connects) × read", reads * p["fs_read"]),
        ("Firestore, writes", "(3 × refreshes + checks + calls + 3 × connects) × write", writes * p["fs_write"]),
        ("Firestore, deletes by time-to-live", "(refreshes + connects + connections × 30) × delete", deletes * p["fs_delete"]),
        ("Firestore, stored and backed up", "(connections × document + 90 days of refreshes × event) × (storage + backups × backup)", stored * (p["fs_storage"] + a["backups"] * p["fs_backup"])),
    ]
    refresh_seconds, probe_seconds = refreshes * a["provider_seconds"] / concurrency, probes * a["probe_seconds"] / concurrency
    job_seconds = refresh_seconds + probe_seconds
    runs = shards * days * 72
    job_seconds = max(job_seconds, runs * 0.5)

    def unwrapped(instances):
        return tenants * days * (72 * shards + instances * min(96, a["calls"] * a["per_tenant"] / instances))

    def kms(instances):
        return ("Cloud KMS", "tenants × (72 runs × shards + 96 × instances of token-get) × operation, and 4 versions", unwrapped(instances) * p["kms"] + 4 * p["kms_version"])

    # Cloud Run bills an instance while it answers anything: each call by itself while they are few (at least 100 ms), whole instances when they are many.
    rate = calls / MONTH
    instances = ceil(rate / 500)
    call_seconds = min(calls * 0.1, MONTH * instances)
    second = p["run_cpu"] + 0.5 * p["run_memory"]
    requests = calls + 4 * connects + runs
    gateway = 4 * connects + 6 * 43_200  # and the checks of /health
    lines = ((calls + refreshes + 2 * connects) * a["audit_bytes"] + requests * a["request_bytes"] + unwrapped(instances) * a["key_use_bytes"]) / gib
    cached = c * a["calls"] * min(1, 900 / 86400) * a["cached_bytes"] / gib
    size = max(1, ceil(cached * 1.5))
    redis = p["redis_basic"] if nodes == 1 else p["redis_standard"] if size < 5 else p["redis_large"]
    google = firestore + [
        kms(instances),
        ("Cloud Run, jobs", "(refreshes × 0.3 s + checks × 0.2 s) ÷ calls in flight × second", max(0, job_seconds - 90_000) * second),
        ("Cloud Run, calls", "min(calls × 0.1 s, instances × month) × second, and requests", max(0, call_seconds - 90_000) * second + max(0, requests - 2e6) * p["run_request"]),
        ("API Gateway", "(4 × connects + checks of /health) × call", max(0, gateway - 2e6) * p["gateway"]),
        ("Redis", "GiB × hours × price", size * HOURS * redis),
        ("Connector", "2 × hours × price; nothing with direct egress", 2 * HOURS * p["connector"]),
        ("Logs", "lines × GiB, and the audit log with uses of the key for 12 months more", max(0, lines - 50) * p["log"] + 12 * ((calls + refreshes) * a["audit_bytes"] + unwrapped(instances) * a["key_use_bytes"]) / gib * p["log_kept"]),
        ("To the providers", "(refreshes + checks) × 2 kB × GiB to the internet", (refreshes + probes) * 2000 / gib * p["egress_google"]),
    ]

    environments = max(1, ceil(rate * a["call_seconds"] * 1.3))
    gb_seconds = 0.5 * (job_seconds + calls * a["call_seconds"])
    moved_out = writes * a["database_bytes"] / 1e9  # AWS to Google: what is written
    moved_in = reads * a["database_bytes"] / 1e9  # Google to AWS: what is read
    others = (refreshes + probes) * 2000 / 1e9
    aws_lines = ((calls + refreshes + 2 * connects) * a["audit_bytes"] + (calls + 4 * connects) * 400 + requests * 300) / 1e9
    audit = (calls + refreshes) * a["audit_bytes"] / 1e9
    asked = calls + 4 * connects
    node = p["valkey_small"] if cached < 0.3 else p["valkey_large"]
    aws = firestore + [
        kms(environments),
        ("Lambda", "0.5 GB × (jobs' seconds + calls × 0.02 s) × GB second, and requests", max(0, gb_seconds - 400_000) * p["lambda_second"] + max(0, asked + runs - 1e6) * p["lambda_request"]),
        ("HTTP API", "(calls + 4 × connects) × call", min(asked, 3e8) * p["http_api"] + max(0, asked - 3e8) * p["http_api_more"]),
        ("NAT, hours", "gateways × hours × (gateway + address)", nodes * HOURS * (p["nat"] + p["address"])),
        ("NAT and transfer, data", "GB to Google and providers × (NAT + out), from Google × (NAT + Google's out)", (moved_out + others) * (p["nat_data"] + p["egress_aws"]) + moved_in * (p["nat_data"] + p["egress_google"])),
        ("Valkey", "nodes × hours × price", nodes * HOURS * node),
        ("Logs", "lines × GB, the audit log through Firehose and in S3 for 13 months", max(0, aws_lines - 5) * p["cw_log"] + audit * (p["firehose"] + 13 * p["s3"])),
        ("Alarms, metrics, secrets, keys", "56 metrics of alarms, 27 metrics, 7 secrets, 2 keys, a health check", 56 * p["cw_alarm"] + 27 * p["cw_metric"] + 7 * p["secret"] + 2 * p["cmk"] + 2.50),
    ]
    counts = [
        ("refreshes", refreshes), ("health checks", probes), ("calls of `tokens/get`", calls), ("connects", connects),
        ("documents read", reads), ("documents written", writes), ("stored, GiB", stored), ("Redis, GiB", cached),
        ("refreshes that fit into a run of 540 s", shards * 540 * concurrency / a["provider_seconds"]),
        ("that are due in one", c * (a["hourly"] * 0.5 + (1 - a["hourly"]) * a["refreshes_slow"] / 48)),
        ("checks that fit into a run of 540 s", shards * 540 * concurrency / a["probe_seconds"]),
        ("that are due in one", c),
    ]
    return counts, google, aws


def money(dollars):
    return f"{dollars:,.2f}" if dollars < 10 else f"{dollars:,.0f}"


def number(count):
    return f"{count:,.1f}" if count < 10 and count % 1 else f"{count:,.0f}"


def table(head, rows):
    # A column of numbers has a number, or a dollar, for its head.
    rule = ["---:" if name[0].isdigit() or name in ("value", "USD") else "---" for name in head]
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, rule, *rows])


def tables(connections, a):
    p = {name: price[0] for name, price in P.items()}
    months = [reckon(each, a, p) for each in connections]
    head = [f"{each:,}" for each in connections]
    out = ["### In a month", ""]
    out.append(table(["counted", *head], [[row[0], *(number(month[0][i][1]) for month in months)] for i, row in enumerate(months[0][0])]))
    for at, name in ((1, "Google Cloud"), (2, "AWS, with Firestore and Cloud KMS at Google")):
        rows = [[row[0], *(money(month[at][i][2]) for month in months), row[1]] for i, row in enumerate(months[0][at])]
        totals = [sum(row[2] for row in month[at]) for month in months]
        rows.append(["**all**", *(f"**{money(total)}**" for total in totals), ""])
        rows.append(["for each connection, cents", *(f"{100 * total / each:,.2f}" for total, each in zip(totals, connections)), ""])
        out += ["", f"### {name}, USD a month", "", table(["what", *head, "formula"], rows)]
    out += ["", "### Assumptions", "", "`NAME=VALUE` behind `costs.py` changes one.", ""]
    out.append(table(["name", "value", "what"], [[f"`{name}`", f"{a[name]:g}", A[name][1]] for name in A]))
    out += ["", "### Prices", "", "USD, list, without tax, commitments or discounts; us-central1 and us-east-1. *seen*: read in a copy of the vendor's page, or the same in several places, in November 2026. *memory*: not found in readable form; look before you rely on it.", ""]
    out.append(table(["name", "USD", "for", "how known", "page"], [[f"`{name}`", f"{value:.10f}".rstrip("0").rstrip("."), of, known, url] for name, (value, of, known, url) in P.items()]))
    return "\n".join(out)


BEGIN, END = "<!-- costs.py: begin -->", "<!-- costs.py: end -->"


def main(arguments):
    a = {name: value for name, (value, _) in A.items()}
    wanted = tables([1_000, 100_000, 10_000_000], a)
    if arguments and arguments[0] in ("--write", "--check"):
        path = Path(arguments[1])
        before, rest = path.read_text().split(BEGIN)
        said, after = rest.split(END)
        if arguments[0] == "--write":
            path.write_text(f"{before}{BEGIN}\n\n{wanted}\n\n{END}{after}")
        elif said.strip() != wanted.strip():
            sys.exit(f"{path} does not say what is reckoned: infra/terraform/costs.py --write {path}")
        return
    connections = []
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if equals and name in a:
            a[name] = float(value)
        elif argument.isdigit():
            connections.append(int(argument))
        else:
            sys.exit(f"{argument}: a number of connections, or NAME=VALUE with one of: {', '.join(a)}")
    print(tables(connections or [1_000, 100_000, 10_000_000], a))


if __name__ == "__main__":
    main(sys.argv[1:])
