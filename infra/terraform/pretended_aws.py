#!/usr/bin/env python3
"""The AWS that is pretended for apply-aws.sh: moto serves it, and boto3 asks it what Terraform made of it."""

import io
import json
import sys
import time
import zipfile
from urllib.parse import unquote

import boto3
import yaml

ASSUMED_BY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}
# AWS takes nothing narrower than everything for network interfaces, which a role in a VPC needs.
FORCED = {"ec2:"}


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
        except Exception:  # whatever a server that does not listen yet looks like
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
    for function in ("authorize", "callback", "token-get", "admin", "scheduled-refresh", "scheduled-health"):
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


def routes(prefix):
    api = boto3.client("apigatewayv2")
    (found,) = [each for each in api.get_apis()["Items"] if each["Name"] == prefix]
    uris = {each["IntegrationId"]: each["IntegrationUri"] for each in api.get_integrations(ApiId=found["ApiId"])["Items"]}
    said = []
    for route in api.get_routes(ApiId=found["ApiId"])["Items"]:
        method, path = route["RouteKey"].split(" ")
        function = function_of(uris[route["Target"].removeprefix("integrations/")], prefix)
        said.append({"method": method, "path": path, "function": function, "auth": route["AuthorizationType"]})
    return sorted(said, key=lambda route: (route["path"], route["method"]))


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


def rights(prefix, functions):
    """Every role of ours: no right on everything but where AWS forces it, and secrets only as the list says."""
    for role in pages(boto3.client("iam"), "list_roles", "Roles"):
        name = role["RoleName"]
        if not name.startswith(f"{prefix}-"):
            continue
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
        listed = functions.get(name.removeprefix(f"{prefix}-"))
        if listed:
            wanted = set(listed["secrets"]) - {"client-secrets"}
            if "client-secrets" in listed["secrets"]:
                wanted |= {"provider-slack-client-secret", "provider-gmail-client-secret"}
            assert secrets == wanted, f"{name} reads {sorted(secrets)}, and the list says {sorted(wanted)}"
        else:
            assert not secrets, f"{name} reads {sorted(secrets)}"


def read(prefix, listed, outputs, to):
    """Holds what there is against the list and against what Terraform says of it, and writes it down."""
    with open(listed, encoding="utf-8") as file:
        functions = yaml.safe_load(file)["functions"]
    with open(outputs, encoding="utf-8") as file:
        said = {name: output["value"] for name, output in json.load(file).items()}
    found = {"routes": routes(prefix), "triggers": triggers(prefix)}

    auth = {"public": "NONE", "internal": "AWS_IAM"}
    wanted = [
        {"method": route.split(" ")[0], "path": route.split(" ")[1], "function": name, "auth": auth[function["exposure"]]}
        for name, function in functions.items() for route in function.get("routes", [])
    ]
    by_path = lambda route: (route["path"], route["method"])  # noqa: E731
    assert found["routes"] == sorted(wanted, key=by_path), f"routes are {found['routes']}"
    assert sorted(map(by_path, said["routes"])) == sorted(map(by_path, wanted)), "the output `routes` says otherwise"
    sent = [(trigger["function"], json.loads(trigger["input"]) if trigger["input"] else None, trigger["cron"]) for trigger in said["triggers"]]
    assert sorted(map(json.dumps, sent)) == sorted(json.dumps((t["function"], t["input"], t["cron"])) for t in found["triggers"]), "the output `triggers` says otherwise"
    assert {t["function"] for t in found["triggers"]} == {name for name, f in functions.items() if f["exposure"] == "scheduled"}

    rights(prefix, functions)
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
