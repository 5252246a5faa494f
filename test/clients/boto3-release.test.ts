import { CreateBucketCommand } from "@aws-sdk/client-s3";
import { strToU8, zipSync } from "fflate";
import { afterAll, beforeAll, expect, test } from "vitest";
import { approval, type PipelineLab, pipelineLab, zipSource } from "../../src/local/codepipeline/testing/pipeline-lab.ts";
import { pythonWithBoto3 } from "../../src/local/omics/testing/boto.ts";
import { furnish, type OmicsLab } from "../../src/local/omics/testing/omics.ts";
import { openShell, PATIENCE_MS, type Shell } from "./aws-cli.ts";

let shell: Shell;
let lab: PipelineLab;
let omics: OmicsLab;
beforeAll(async () => {
  shell = await openShell();
  lab = pipelineLab(shell.accounts);
  omics = await furnish(shell.accounts);
});
afterAll(() => shell[Symbol.asyncDispose]());

const python = pythonWithBoto3();

/** The services of a release, as an operator would ask them. */
const RELEASE = `
import boto3, json, sys, time, urllib.request
setup = json.loads(sys.argv[1])
clients = {}
def client(service, profile="cicd"):
    key = (service, profile)
    if key not in clients: clients[key] = boto3.Session(profile_name=profile).client(service)
    return clients[key]

def until(ask, is_there):
    while not is_there(answer := ask()): time.sleep(0.1)
    return answer

said = {"arn": client("sts", "developer").get_caller_identity()["Arn"]}

logs, codebuild = client("logs"), client("codebuild")
build = codebuild.start_build(projectName="greet", environmentVariablesOverride=[{"name": "WHO", "value": "phage"}])["build"]["id"]
ended = until(lambda: codebuild.batch_get_builds(ids=[build])["builds"][0], lambda one: one["buildStatus"] != "IN_PROGRESS")
stream = logs.describe_log_streams(logGroupName=ended["logs"]["groupName"])["logStreams"][0]["logStreamName"]
lines = logs.get_log_events(logGroupName=ended["logs"]["groupName"], logStreamName=stream, startFromHead=True)["events"]
said["build"] = [ended["buildStatus"], any("hello phage" in line["message"] for line in lines)]

pipelines, approver = client("codepipeline"), client("codepipeline", "approver")
def token():
    stages = pipelines.get_pipeline_state(name="asks")["stageStates"]
    return stages[1]["actionStates"][0].get("latestExecution", {}).get("token")
def answer(who, status):
    return who.put_approval_result(pipelineName="asks", stageName="Approve", actionName="Ask", token=until(token, bool), result={"summary": "by boto3", "status": status})
def execution(id): return until(lambda: pipelines.get_pipeline_execution(pipelineName="asks", pipelineExecutionId=id)["pipelineExecution"]["status"], lambda status: status not in ("InProgress", "Stopping"))
answer(approver, "Rejected")
said["rejected"] = execution(setup["execution"])
pipelines.retry_stage_execution(pipelineName="asks", stageName="Approve", pipelineExecutionId=setup["execution"], retryMode="FAILED_ACTIONS")
answer(approver, "Approved")
said["approved"] = execution(setup["execution"])
second = pipelines.start_pipeline_execution(name="asks")["pipelineExecutionId"]
until(token, bool)
pipelines.stop_pipeline_execution(pipelineName="asks", pipelineExecutionId=second, abandon=True)
said["stopped"] = execution(second)

functions = client("lambda")
functions.create_function(FunctionName="greet", Runtime="python3.12", Handler="index.handler", Role=setup["function"], Timeout=60, Code={"ZipFile": open(setup["zip"], "rb").read()})
functions.get_waiter("function_active_v2").wait(FunctionName="greet")
said["invoked"] = json.load(functions.invoke(FunctionName="greet", Payload=json.dumps({"who": "phage"}))["Payload"])

said["events"] = client("events").put_events(Entries=[{"Source": "lab", "DetailType": "Run ended", "Detail": "{}"}])["FailedEntryCount"]

stacks = client("cloudformation")
stacks.create_stack(StackName="lab", TemplateBody=json.dumps({"Resources": {"Genome": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "lambda"}}}, "Outputs": {"Name": {"Value": {"Ref": "Genome"}}}}))
stacks.get_waiter("stack_create_complete").wait(StackName="lab", WaiterConfig={"Delay": 1})
name = stacks.describe_stacks(StackName="lab")["Stacks"][0]["Outputs"][0]["OutputValue"]
said["stack"] = [client("ssm").get_parameter(Name=name)["Parameter"]["Value"], stacks.describe_stack_events(StackName="lab")["StackEvents"][0]["ResourceStatus"]]

code = client("codecommit")
code.create_repository(repositoryName="by-boto")
try:
    client("codecommit", "approver").create_pull_request(title="x", targets=[{"repositoryName": "by-boto", "sourceReference": "a"}])
except code.exceptions.ClientError as error:
    said["refused"] = error.response["Error"]["Code"]

url = client("s3").generate_presigned_url("get_object", Params={"Bucket": "source-of-boto", "Key": "source.zip"})
said["presigned"] = urllib.request.urlopen(url).status

omics = client("omics")
run = omics.start_run(workflowId=setup["workflow"], roleArn=setup["runRole"], outputUri=setup["output"], storageType="DYNAMIC", parameters={"who": "phage"}, requestId="by-boto")["id"]
omics.get_waiter("run_completed").wait(id=run, WaiterConfig={"Delay": 1, "MaxAttempts": 600})
task = omics.list_run_tasks(id=run)["items"][0]
said["run"] = [omics.get_run(id=run)["status"], task["name"], omics.get_run_task(id=run, taskId=task["taskId"])["status"]]
print(json.dumps(said))
`;

const GREET = `version 1.1
workflow hello { input { String who } call greet { input: who } output { String said = greet.said } }
task greet { input { String who } command <<< echo hello ~{who} >>> output { String said = read_string(stdout()) } }
`;

test.runIf(python)(
  "boto3 releases: builds, pipelines, functions, events, stacks, repositories, presigned addresses, runs",
  async () => {
    await lab.s3.send(new CreateBucketCommand({ Bucket: "store" }));
    await lab.archive("source-of-boto", { "main.wdl": "version 1.1\n" });
    const [role, workflow, execution] = await Promise.all([
      lab.role("lambda", "function", ["logs:*"]),
      omics.workflow({ "main.wdl": GREET }),
      lab.pipeline("asks", { Source: [zipSource("source-of-boto")], Approve: [approval()] }),
      lab.project("greet", { version: "0.2", phases: { build: { commands: ["echo hello $WHO"] } } }),
    ]);
    const zip = shell.file(
      "function.zip",
      zipSync({ "index.py": strToU8("def handler(event, context):\n  return 'hello ' + event['who']\n") }),
    );
    const setup = { execution, function: role, zip, workflow, runRole: omics.roleArn, output: `s3://${omics.bucket}/runs` };
    const printed = await shell.must(python ?? "python3", [shell.file("release.py", RELEASE), JSON.stringify(setup)]);
    expect(JSON.parse(printed)).toEqual({
      arn: "arn:aws:iam::111122223333:user/developer",
      build: ["SUCCEEDED", true],
      rejected: "Failed",
      approved: "Succeeded",
      stopped: "Stopped",
      invoked: "hello phage",
      events: 0,
      stack: ["lambda", "CREATE_COMPLETE"],
      refused: "AccessDeniedException",
      presigned: 200,
      run: ["COMPLETED", "greet", "COMPLETED"],
    });
  },
  PATIENCE_MS,
);
