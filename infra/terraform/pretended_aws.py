#!/usr/bin/env python3
"""The AWS that is pretended for apply-aws.sh: moto serves it, and boto3 asks it what Terraform made of it."""

import io
import json
import re
import sys
import time
import zipfile
from urllib.parse import unquote

import boto3
import yaml
from botocore.exceptions import BotoCoreError
from rights_gcp import KEY_USERS, known_settings, resources

ASSUMED_BY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}
# AWS takes nothing narrower than everything for network interfaces, which a role in a VPC needs.
FORCED = {"ec2:"}
# Settings of what the functions are made with, not of ours.
BESIDE = {"SSL_CERT_FILE"}
# By hand, as what is derived from the list would follow every mistake in it.
SECRETS = {
    "authorize": {"attempt-key", "audit-key", "callers"},
    "callback": {"attempt-key", "audit-key", "callers", "provider-slack-client-secret", "provider-gmail-client-secret"},
    "token-get": {"attempt-key", "audit-key", "callers", "provider-slack-client-secret", "provider-gmail-client-secret"},
    "admin": {"attempt-key", "audit-key", "callers", "provider-slack-client-secret", "provider-gmail-client-secret"},
    "scheduled-refresh": {"audit-key", "provider-slack-client-secret", "provider-gmail-client-secret"},
    "scheduled-health": {"audit-key", "provider-slack-client-secret", "provider-gmail-client-secret"},
}


def serve(port):
    """Runs moto's server, with what moto forgets of a function: how it logs."""
    from moto.awslambda.models import LambdaFunction
    from moto.server import main

    made, said = LambdaFunction.__init__, LambdaFunction.get_configuration

    def remember(self, account_id, spec, *arguments, **named):
        made(self, account_id, spec, *arguments, **named)
        self.logging_config = spec.get("LoggingConfig")

    def say(self, *arguments, **named):
        return {**said(self, *arguments, **named), "LoggingConfig": self.logging_config}

    LambdaFunction.__init__, LambdaFunction.get_configuration = remember, say
    main(["-H", "127.0.0.1", "-p", port])


def wait():
    """Until it answers."""
    for _ in range(300):
        try:
            boto3.client("sts").get_caller_identity()
            return
        except BotoCoreError:  # it does not listen yet
            time.sleep(0.1)
    sys.exit("moto does not answer")


def roles(*names):
    """Roles of callers, which the environment names and somebody else looks after."""
    for name in names:
        boto3.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(ASSUMED_BY))


def packages(prefix):
    """A package for each function, in the one bucket that there is: nothing runs them here."""
    (bucket,) = boto3.resource("s3").buckets.all()
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("bootstrap", "#!/bin/sh\n")
    for function in SECRETS:
        bucket.put_object(Key=f"{prefix}/{function}.zip", Body=data.getvalue())


def empty():
    """Every object in every bucket, each version of it; the policies before, as moto takes no notice of their conditions."""
    for bucket in boto3.resource("s3").buckets.all():
        bucket.Policy().delete()
        for version in bucket.object_versions.all():
            version.delete(BypassGovernanceRetention=True)


def pages(client, operation, field, **asked):
    return [item for page in client.get_paginator(operation).paginate(**asked) for item in page[field]]


def function_of(arn, prefix):
    """The listed name of the function that an ARN, or API Gateway's URI of it, leads to; always by its alias."""
    name, alias = arn.split(":function:", 1)[1].removesuffix("/invocations").split(":")
    assert alias == "live", f"{arn} leads past the alias"
    return name.removeprefix(f"{prefix}-")


def by_path(route):
    return route["path"], route["method"]


def routes(prefix):
    api = boto3.client("apigatewayv2")
    (found,) = [each for each in api.get_apis()["Items"] if each["Name"] == prefix]
    uris = {each["IntegrationId"]: each["IntegrationUri"] for each in api.get_integrations(ApiId=found["ApiId"])["Items"]}
    said = []
    for route in api.get_routes(ApiId=found["ApiId"])["Items"]:
        method, path = route["RouteKey"].split(" ")
        function = function_of(uris[route["Target"].removeprefix("integrations/")], prefix)
        said.append({"method": method, "path": path, "function": function, "auth": route["AuthorizationType"]})
    return sorted(said, key=by_path)


def triggers(prefix):
    scheduler, said = boto3.client("scheduler"), []
    for listed in pages(scheduler, "list_schedules", "Schedules"):
        schedule = scheduler.get_schedule(Name=listed["Name"], GroupName=listed["GroupName"])
        target = schedule["Target"]
        assert target["DeadLetterConfig"]["Arn"].endswith("-dead-letters"), f"{listed['Name']} loses what fails"
        said.append({
            "function": function_of(target["Arn"], prefix),
            "input": json.loads(target["Input"]) if target.get("Input") else None,
            "cron": schedule["ScheduleExpression"],
        })
    return sorted(said, key=lambda trigger: (trigger["function"], json.dumps(trigger["input"])))


def statements(role):
    """What a role may do: of its own policies and of those that are attached to it."""
    iam = boto3.client("iam")
    documents = [iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in pages(iam, "list_role_policies", "PolicyNames", RoleName=role)]
    for attached in pages(iam, "list_attached_role_policies", "AttachedPolicies", RoleName=role):
        version = iam.get_policy(PolicyArn=attached["PolicyArn"])["Policy"]["DefaultVersionId"]
        documents.append(iam.get_policy_version(PolicyArn=attached["PolicyArn"], VersionId=version)["PolicyVersion"]["Document"])
    for document in documents:
        yield from (json.loads(unquote(document)) if isinstance(document, str) else document)["Statement"]


def listed_of(value):
    return value if isinstance(value, list) else [value]


def rights(prefix):
    """Every role of ours: no right on everything but where AWS forces it, and no secret that it has no need of."""
    roles = [role for role in pages(boto3.client("iam"), "list_roles", "Roles") if role["RoleName"].startswith(f"{prefix}-")]
    assert {f"{prefix}-{function}" for function in SECRETS} <= {role["RoleName"] for role in roles}, "a function has no role of its own"
    for role in roles:
        name = role["RoleName"]
        for principal in listed_of(role["AssumeRolePolicyDocument"]["Statement"]):
            assert set(principal["Principal"]) == {"Service"}, f"{name} can be taken by others than a service of AWS"
        secrets = set()
        for statement in statements(name):
            for action in listed_of(statement["Action"]):
                assert "*" not in action, f"{name}: {action}"
                for resource in listed_of(statement["Resource"]):
                    assert resource != "*" or any(action.startswith(forced) for forced in FORCED), f"{name}: {action} on everything"
                    if action == "secretsmanager:GetSecretValue":
                        secrets.add(resource.rsplit(":", 1)[1].removeprefix(f"{prefix}-").rsplit("-", 1)[0])
        wanted = SECRETS.get(name.removeprefix(f"{prefix}-"), set())
        assert secrets == wanted, f"{name} reads {sorted(secrets)}, not {sorted(wanted)}"


def settings(prefix):
    """What each function is told; of a secret the name of the secret."""
    said, known = {}, known_settings()
    for function in pages(boto3.client("lambda"), "list_functions", "Functions"):
        name = function["FunctionName"].removeprefix(f"{prefix}-")
        said[name] = {}
        for setting, value in sorted(function["Environment"]["Variables"].items()):
            if value.startswith("arn:aws:secretsmanager:"):
                assert setting.endswith("_SECRET"), f"{name}: {setting} is a secret's name"
                setting, value = setting.removesuffix("_SECRET"), "secret:" + value.rsplit(":", 1)[1].rsplit("-", 1)[0]
            row = re.sub(r"^PROVIDER_[A-Z0-9_]+_CLIENT", "PROVIDER_<ID>_CLIENT", setting)
            assert {row, f"{row}_FILE"} & (known | BESIDE), f"{name} is told {setting}, which docs/operations.md does not know"
            said[name][setting] = value
    return said


def rights_at_google(prefix, state):
    """Who of AWS may do what at Google: five roles use the key, six the database, and nobody else anything."""
    key_users = {f"{prefix}-{function}" for function in KEY_USERS}
    granted = {}
    for resource in resources(state["values"]["root_module"]):
        if "_iam_" in resource["type"] and resource["type"].startswith("google_") and "role" in resource["values"]:
            values = resource["values"]
            for member in values.get("members") or [values["member"]]:
                assert member.startswith("principalSet://") and "/attribute.role/" in member, f"{resource['address']}: {member}"
                granted.setdefault(values["role"], set()).add(member.rsplit("/", 1)[1])
    if granted:  # else Google's part was left out
        assert granted == {
            "roles/cloudkms.cryptoKeyEncrypterDecrypter": key_users,
            "roles/datastore.user": key_users | {f"{prefix}-authorize"},
        }, f"at Google: {granted}"


def read(prefix, listed, shown, to):
    """Holds what there is against the list and against what Terraform says of it, and writes it down."""
    with open(listed, encoding="utf-8") as file:
        functions = yaml.safe_load(file)["functions"]
    with open(shown, encoding="utf-8") as file:
        state = json.load(file)
    said = {name: output["value"] for name, output in state["values"]["outputs"].items()}
    found = {"routes": routes(prefix), "triggers": triggers(prefix), "settings": settings(prefix)}

    auth = {"public": "NONE", "internal": "AWS_IAM"}
    wanted = [
        {"method": route.split(" ")[0], "path": route.split(" ")[1], "function": name, "auth": auth[function["exposure"]]}
        for name, function in functions.items() for route in function.get("routes", [])
    ]
    assert found["routes"] == sorted(wanted, key=by_path), f"routes are {found['routes']}"
    assert sorted(map(by_path, said["routes"])) == sorted(map(by_path, wanted)), "the output `routes` says otherwise"
    sent = [(trigger["function"], json.loads(trigger["input"]) if trigger["input"] else None, trigger["cron"]) for trigger in said["triggers"]]
    assert sorted(map(json.dumps, sent)) == sorted(json.dumps((t["function"], t["input"], t["cron"])) for t in found["triggers"]), "the output `triggers` says otherwise"
    assert {t["function"] for t in found["triggers"]} == {name for name, f in functions.items() if f["exposure"] == "scheduled"}

    rights(prefix)
    rights_at_google(prefix, state)
    with open(to, "w", encoding="utf-8") as file:
        json.dump(found, file, indent=2)
        file.write("\n")


def nothing(prefix):
    """After destroying: no function, API, schedule, role or bucket of ours."""
    left = [each["FunctionName"] for each in pages(boto3.client("lambda"), "list_functions", "Functions")]
    left += [each["Name"] for each in boto3.client("apigatewayv2").get_apis()["Items"]]
    left += [each["Name"] for each in pages(boto3.client("scheduler"), "list_schedules", "Schedules")]
    left += [each["RoleName"] for each in pages(boto3.client("iam"), "list_roles", "Roles") if each["RoleName"].startswith(prefix)]
    left += [bucket.name for bucket in boto3.resource("s3").buckets.all()]
    assert not left, f"left: {left}"


if __name__ == "__main__":
    {each.__name__: each for each in (serve, wait, roles, packages, empty, read, nothing)}[sys.argv[1]](*sys.argv[2:])
