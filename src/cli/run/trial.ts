import { StartRunCommand } from "@aws-sdk/client-omics";
import { ALL_SERVICES } from "../../aws/clients.ts";
import type { ReleaseEnvironment } from "../../release/environment.ts";
import { describeEvent } from "../../release/events.ts";
import { artifactsBucket, NAMES, PREFIXES, roleName } from "../../release/names.ts";
import { openOutputs } from "../../release/testrun/outputs.ts";
import { openSession, type Session } from "../aws/session.ts";
import type { Cli } from "../cli.ts";
import { followRun } from "./follow.ts";
import { readInputs, stageInputs } from "./inputs.ts";
import { type Asked, openProject } from "./open-project.ts";
import { publishTrial, stageProject, trialName } from "./stage.ts";

export interface RunOptions extends Asked {
  /** The file of the inputs. */
  readonly params: string;
  readonly storageType: "DYNAMIC" | "STATIC";
  readonly storageCapacity?: number;
  readonly role?: string;
  readonly output?: string;
  readonly follow: boolean;
  readonly profile?: string;
  readonly region?: string;
}

/** What `omx run --json` prints. */
export interface RunReport {
  readonly runId: string;
  readonly status: string;
  /** What HealthOmics says of a run that did not complete. */
  readonly message?: string;
  readonly workflowId: string;
  readonly version: string;
  readonly outputUri?: string;
  /** `outputs.json` of WDL and CWL. */
  readonly outputs?: Readonly<Record<string, unknown>>;
  readonly files?: readonly { readonly uri: string; readonly size: number }[];
}

/**
 * Stages, creates and runs a workflow with the inputs of a file.
 * @throws Problem for inputs that do not fit, ReleaseError for images that can't be brought in or a version that FAILED
 */
export async function runTrial(cli: Cli, path: string, options: RunOptions): Promise<RunReport> {
  const project = openProject(path, options);
  const inputs = readInputs(options.params, project);
  const session = await openSession(cli, options, ALL_SERVICES);
  const env: ReleaseEnvironment = {
    clients: session.clients,
    cicd: session.place,
    clock: cli.clock,
    emit: (event) => cli.say(describeEvent(event)),
  };
  const name = trialName(project);
  const registryMap = await stageProject(env, project);
  const [version, parameters] = await Promise.all([
    publishTrial(env, project, registryMap),
    stageInputs(env, name, { inputs, file: options.params }),
  ]);
  const { workflowId, versionName } = version;
  const runId = await start(cli, session, { options, request: { workflowId, workflowVersionName: versionName, name, parameters } });
  return { ...(await outcome(cli, session, { runId, options })), workflowId, version: versionName };
}

interface Starting {
  readonly options: RunOptions;
  readonly request: {
    readonly workflowId: string;
    readonly workflowVersionName: string;
    readonly name: string;
    readonly parameters: Record<string, unknown>;
  };
}

async function start(cli: Cli, { clients, place }: Session, { options, request }: Starting): Promise<string> {
  const { id = "" } = await clients.omics.send(
    new StartRunCommand({
      ...request,
      parameters: request.parameters as NonNullable<StartRunCommand["input"]["parameters"]>,
      requestId: cli.random.uuid(),
      logLevel: "ALL",
      storageType: options.storageType,
      ...(options.storageCapacity && { storageCapacity: options.storageCapacity }),
      roleArn: options.role ?? `arn:aws:iam::${place.account}:role/${roleName(NAMES.runRole, place.region)}`,
      outputUri: options.output ?? `s3://${artifactsBucket(place.account, place.region)}/${PREFIXES.testOutputs}/${request.name}`,
    }),
  );
  return id;
}

async function outcome(
  cli: Cli,
  { clients, local }: Session,
  { runId, options }: { readonly runId: string; readonly options: RunOptions },
): Promise<Omit<RunReport, "workflowId" | "version">> {
  if (!options.follow) return { runId, status: "PENDING" };
  const ended = await followRun({ omics: clients.omics, clock: cli.clock, pollMs: local ? 500 : 10_000, tell: cli.say }, runId);
  const { status = "", statusMessage, failureReason, runOutputUri } = ended;
  const message = [failureReason, statusMessage].filter(Boolean).join(": ");
  if (status !== "COMPLETED" || !runOutputUri)
    return { runId, status, ...(message && { message }), ...(runOutputUri && { outputUri: runOutputUri }) };
  const opened = openOutputs(clients.s3, runOutputUri);
  const outputs = await opened.values();
  const files = (await opened.files()).filter(({ path }) => !path.startsWith("logs/")).map(({ uri, size }) => ({ uri, size }));
  return { runId, status, outputUri: runOutputUri, ...(outputs && { outputs }), files };
}
