import { afterAll, beforeAll, expect, test } from "vitest";
import { zipSync } from "fflate";
import { pythonWithBoto3 } from "../../src/local/omics/testing/boto.ts";
import { openShell, PATIENCE_MS, type Shell } from "./aws-cli.ts";

let shell: Shell;
beforeAll(async () => void (shell = await openShell()));
afterAll(() => shell[Symbol.asyncDispose]());

const python = pythonWithBoto3();

/** What a scientist would write in a notebook: a profile, and nothing about endpoints. */
const SCRIPT = `
import base64, boto3, json, sys, time
session = boto3.Session(profile_name="cicd")
s3, omics, ecr, states, iam = (session.client(name) for name in ("s3", "omics", "ecr", "stepfunctions", "iam"))

s3.create_bucket(Bucket="notebook")
s3.upload_file(sys.argv[1], "notebook", "large.bin")
body = s3.get_object(Bucket="notebook", Key="large.bin")["Body"].read()

session.client("s3", region_name="eu-west-1").create_bucket(Bucket="abroad", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
s3.upload_file(sys.argv[1], "abroad", "large.bin")
abroad = s3.head_object(Bucket="abroad", Key="large.bin")["ContentLength"]

ecr.create_repository(repositoryName="lab/tool")
token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]

id = omics.create_workflow(name="hello", engine="WDL", definitionZip=open(sys.argv[2], "rb").read())["id"]
omics.get_waiter("workflow_active").wait(id=id)

trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
role = iam.create_role(RoleName="notebook", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
machine = states.create_state_machine(name="notebook", roleArn=role, definition=json.dumps({"StartAt": "Pass", "States": {"Pass": {"Type": "Pass", "End": True}}}))["stateMachineArn"]
execution = states.start_execution(stateMachineArn=machine, input='{"n": 1}')["executionArn"]
while (ended := states.describe_execution(executionArn=execution))["status"] == "RUNNING": time.sleep(0.1)

try:
    s3.head_object(Bucket="notebook", Key="absent")
except s3.exceptions.ClientError as error:
    absent = error.response["Error"]["Code"]
try:
    omics.get_workflow(id="999999")
except omics.exceptions.ResourceNotFoundException as error:
    missing = type(error).__name__

print(json.dumps({
    "abroad": abroad,
    "same": body == open(sys.argv[1], "rb").read(), "user": base64.b64decode(token).decode().split(":")[0],
    "repositories": [one["repositoryUri"] for page in ecr.get_paginator("describe_repositories").paginate() for one in page["repositories"]],
    "workflows": [one["name"] for page in omics.get_paginator("list_workflows").paginate() for one in page["items"]],
    "execution": ended["status"], "output": json.loads(ended["output"]), "absent": absent, "missing": missing,
}))
`;

test.runIf(python)(
  "boto3 works with a profile alone: S3 in parts, ECR, HealthOmics with its waiter, Step Functions",
  async () => {
    const large = shell.file("large.bin", Buffer.alloc(9 * 1024 * 1024, "acgt"));
    const zip = shell.file(
      "hello.zip",
      zipSync({ "main.wdl": Buffer.from("version 1.1\nworkflow hello { input { String who } output { String said = who } }\n") }),
    );
    const printed = await shell.must(python ?? "python3", [shell.file("notebook.py", SCRIPT), large, zip]);
    expect(JSON.parse(printed)).toEqual({
      same: true,
      abroad: 9 * 1024 * 1024,
      user: "AWS",
      repositories: ["111122223333.dkr.ecr.us-east-1.amazonaws.com/lab/tool"],
      workflows: ["hello"],
      execution: "SUCCEEDED",
      output: { n: 1 },
      absent: "404",
      missing: "ResourceNotFoundException",
    });
  },
  PATIENCE_MS,
);
