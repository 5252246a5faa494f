import { join } from "node:path";
import { PutApprovalResultCommand } from "@aws-sdk/client-codepipeline";
import { type AwsClients, awsClients } from "../../aws/clients.ts";
import { listVersions, listWorkflowsNamed } from "../../aws/workflows.ts";
import { NAMES, pipelineName } from "../../release/names.ts";
import { releasesAmong } from "../../release/publish/number.ts";
import type { BuildRecord } from "../../release/publish/build-record.ts";
import { summarize } from "../../release/testrun/report.ts";
import { findRunning, type Running } from "../accounts/data-dir.ts";
import { startDetached } from "../accounts/detach.ts";
import { deployAs } from "../aws/cdk.ts";
import { readProfile } from "../aws/profiles.ts";
import { type Cli, NotDone, Problem } from "../cli.ts";
import type { Display } from "./display.ts";
import { approvalToken, findExecution, followTo, type Step } from "./follow.ts";
import { describeRelease, type DemoRelease, readBuild, readTests, versionOf } from "./report.ts";
import { mergeChange, pushMain, WORKFLOW } from "./repository.ts";
import { chooseUpstream, PUBLIC_REGISTRY, type Upstream } from "./upstream.ts";

export interface DemoOptions {
  /** Approve without asking. */
  readonly yes: boolean;
  readonly data: string;
  readonly port: number;
  /** Where the public registry is mirrored. */
  readonly mirror?: string;
  readonly containers?: "docker" | "podman" | "host";
}

export interface DemoResult {
  readonly ok: boolean;
  readonly endpoint: string;
  readonly configFile: string;
  readonly engine: string;
  readonly containers: string;
  readonly upstream: Upstream["kind"];
  readonly releases: readonly DemoRelease[];
}

interface Stage {
  readonly cli: Cli;
  readonly display: Display;
  readonly options: DemoOptions;
  readonly clients: Readonly<Record<"cicd" | "production" | "developer" | "approver", AwsClients>>;
  readonly running: Running;
}

/** A push reaches production, twice: the first release, then a change by a pull request. */
export async function runDemo(cli: Cli, display: Display, options: DemoOptions): Promise<DemoResult> {
  display.title("The local accounts");
  const { running, upstream } = await display.during("start", () => startAccounts(cli, options));
  display.note(
    `${running.url}; public images come from ${upstream.kind === "offline" ? "an offline upstream with this machine's own programs" : `${upstream.kind === "mirror" ? "the mirror" : "the public registry"} ${upstream.url}`}`,
  );
  const stage: Stage = { cli, display, options, running, clients: clientsOf(running) };
  display.title("The CDK app, by the real cdk");
  const deployer = { profile: "cicd", local: { endpoint: running.url, configFile: running.configFile, dataDir: running.dataDir } };
  await display.during("deploy", (tell) => deployAs(cli, deployer, { config: join(cli.settings.root, "omx.deploy.yaml"), onLine: tell }));
  const developer = { cli, clients: stage.clients.developer, dataDir: running.dataDir };
  display.title("The first release: a push to main");
  const first = await release(stage, await display.during("git push", () => pushMain(developer)));
  display.title("A change: branch, pull request, merge");
  const change = await display.during("pull request", () => mergeChange(developer));
  display.note(`pull request ${change.pullRequest}: ${change.comment.split("\n")[0]?.replace(/^#+ /, "")}`);
  const second = await release(stage, change.commit);
  return {
    ok: true,
    endpoint: running.url,
    configFile: running.configFile,
    engine: "miniwdl",
    containers: await whereTasksRan(stage, second),
    upstream: upstream.kind,
    releases: [first, second],
  };
}

async function startAccounts(cli: Cli, options: DemoOptions): Promise<{ readonly running: Running; readonly upstream: Upstream }> {
  const upstream = await chooseUpstream(cli, options.data, options.mirror);
  const known = findRunning(options.data);
  if (known) return { running: known, upstream };
  const args = [
    "--json",
    "--port",
    String(options.port),
    "--data",
    options.data,
    ...(options.containers ? ["--containers", options.containers] : []),
    ...(upstream.kind === "public" ? [] : ["--upstream", `${PUBLIC_REGISTRY}=${upstream.url}`]),
  ];
  return { running: await startDetached(cli, options.data, args), upstream };
}

function clientsOf({ configFile, url }: Running): Stage["clients"] {
  const as = (name: string): AwsClients => {
    const profile = readProfile(configFile, name);
    return awsClients({
      region: profile?.region ?? "us-east-1",
      endpoint: url,
      ...(profile?.credentials && { credentials: profile.credentials }),
    });
  };
  return { cicd: as("cicd"), production: as("production"), developer: as("developer"), approver: as("approver") };
}

/** Follows one release from its push to production. */
async function release(stage: Stage, commit: string): Promise<DemoRelease> {
  const { cli, display, clients } = stage;
  const started = cli.clock.now().getTime();
  const followed = { cli, clients: clients.developer, workflow: WORKFLOW, onSteps: (steps: readonly Step[]) => display.steps(steps) };
  const pipelineExecutionId = await findExecution(followed, commit);
  await followTo(followed, pipelineExecutionId, "approval");
  const version = await findVersion(stage, pipelineExecutionId);
  await approve(stage, version);
  const steps = await followTo(followed, pipelineExecutionId, "end");
  const totalSeconds = Math.round((cli.clock.now().getTime() - started) / 100) / 10;
  const described = await describeRelease(clients, { workflow: WORKFLOW, version }, { commit, pipelineExecutionId, steps, totalSeconds });
  display.note(
    `${WORKFLOW} ${version} is ACTIVE in production: workflow ${described.workflowId.production}; ${totalSeconds} s, ${described.engineSeconds} s of them the engine's`,
  );
  return described;
}

async function findVersion({ clients }: Stage, pipelineExecutionId: string): Promise<string> {
  const [workflow] = await listWorkflowsNamed(clients.cicd.omics, WORKFLOW);
  const names = workflow?.id ? (await listVersions(clients.cicd.omics, workflow.id)).map(({ versionName }) => versionName ?? "") : [];
  const version = await versionOf(clients.cicd, WORKFLOW, pipelineExecutionId, releasesAmong(names));
  if (!version)
    throw new Problem(
      `execution ${pipelineExecutionId} left no evidence`,
      `look at the log of its Build stage: omx release logs ${WORKFLOW} --stage Build`,
    );
  return version;
}

/** Where the tasks of a test ran, behind its other facts. */
function describePlace(ranOn: string | undefined): string {
  if (ranOn === "host") return ", on the host, not isolated";
  return ranOn ? `, in ${ranOn}` : "";
}

/** Shows the evidence and has the approver decide. @throws NotDone when the answer is no */
async function approve({ cli, display, clients, options }: Stage, version: string): Promise<void> {
  const place = { workflow: WORKFLOW, version };
  const [report, build] = [await readTests(clients.approver, place), await readBuild<BuildRecord>(clients.approver, place)];
  display.note(`evidence: ${summarize(report)}`);
  for (const { name, ranOn, seconds, judgements } of report.tests)
    display.note(`  ${name}: ${judgements.length} expectations met, ${seconds ?? "?"} s${describePlace(ranOn)}`);
  for (const { image, digest } of build.images) display.note(`  image ${image} ${digest.slice(0, 19)}`);
  if (build.differences.since)
    display.note(
      `  since ${build.differences.since}: ${build.differences.parameters.length} parameters and ${build.differences.images.length} images changed${build.differences.breaking ? `; ${build.differences.breaking}` : ""}`,
    );
  const answer = options.yes ? "y" : await cli.ask(`Approve ${WORKFLOW} ${version}? [y/N] `);
  const status = /^y(es)?$/i.test(answer?.trim() ?? "") ? "Approved" : "Rejected";
  const token = await approvalToken({ clients: clients.approver, workflow: WORKFLOW });
  await clients.approver.codepipeline.send(
    new PutApprovalResultCommand({
      pipelineName: pipelineName(WORKFLOW),
      stageName: NAMES.approvalStage,
      actionName: NAMES.approvalAction,
      token,
      result: { status, summary: options.yes ? "approved by the demo" : "decided in the demo" },
    }),
  );
  if (status === "Approved") return;
  cli.say(`${WORKFLOW} ${version} was rejected; it keeps its number and is not released`);
  throw new NotDone();
}

async function whereTasksRan({ clients }: Stage, { version }: DemoRelease): Promise<string> {
  return (await readTests(clients.cicd, { workflow: WORKFLOW, version })).tests[0]?.ranOn ?? "host";
}
