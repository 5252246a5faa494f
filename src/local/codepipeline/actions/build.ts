import { Failure } from "../../gateway/failure.ts";
import type { ActionContext, ActionOutcome } from "../action.ts";

interface BuildAnswer {
  readonly id: string;
  readonly buildStatus: string;
  readonly exportedEnvironmentVariables?: readonly { readonly name: string; readonly value: string }[];
  readonly phases?: readonly {
    readonly phaseType: string;
    readonly phaseStatus?: string;
    readonly contexts?: readonly { readonly statusCode?: string; readonly message?: string }[];
  }[];
  readonly logs?: { readonly deepLink?: string };
}

const POLL_MS = 150;

/** Starts a build on the action's artifacts and waits for it. */
export async function codeBuild(context: ActionContext): Promise<ActionOutcome> {
  const { core, execution, signal, current } = context;
  const id = current().externalId ?? (await start(context));
  for (;;) {
    const { builds } = await call<{ builds: readonly BuildAnswer[] }>(context, "BatchGetBuilds", { ids: [id] });
    const [build] = builds;
    if (!build) throw new Failure("JobFailed", `build ${id} is gone`);
    if (build.buildStatus === "SUCCEEDED") return { variables: exportedBy(build) };
    if (build.buildStatus !== "IN_PROGRESS") throw new Failure("JobFailed", describeFailure(build));
    if (execution.stopRequested?.abandon || current().status === "Abandoned") {
      await call(context, "StopBuild", { id });
      throw new Failure("JobFailed", "the execution was stopped");
    }
    await core.clock.sleep(POLL_MS, signal);
  }
}

const call = <Output>({ core, execution, as }: ActionContext, operation: string, input: object) =>
  core.dispatcher.call<Output>({
    service: "codebuild",
    operation,
    input,
    as,
    account: execution.account,
    region: execution.region,
    context: { "omx:Pipeline": execution.pipeline },
  });

async function start(context: ActionContext): Promise<string> {
  const { configuration, outputs, current, note } = context;
  const revision = revisionOf(context);
  const { build } = await call<{ build: BuildAnswer }>(context, "StartBuild", {
    projectName: configuration["ProjectName"],
    environmentVariablesOverride: readVariables(configuration["EnvironmentVariables"]),
    idempotencyToken: current().id,
    pipeline: { inputs: primaryFirst(context), outputs },
    ...(revision && { sourceVersion: revision }),
  });
  note({ externalId: build.id, ...(build.logs?.deepLink && { externalUrl: build.logs.deepLink }) });
  return build.id;
}

/** A build's first artifact is its primary source; the others are secondary ones. */
function primaryFirst({ configuration, inputs }: ActionContext): ActionContext["inputs"] {
  const primary = configuration["PrimarySource"];
  if (!primary) return inputs;
  return [...inputs.filter(({ name }) => name === primary), ...inputs.filter(({ name }) => name !== primary)];
}

const revisionOf = ({ execution }: ActionContext): string | undefined =>
  execution.revisions.find((revision) => /^[0-9a-f]{40}$/.test(revision.revisionId))?.revisionId;

function readVariables(text: string | undefined): unknown {
  if (text === undefined) return [];
  try {
    return JSON.parse(text);
  } catch {
    throw new Failure("ConfigurationError", "EnvironmentVariables of the action is not JSON");
  }
}

const exportedBy = ({ exportedEnvironmentVariables = [] }: BuildAnswer): Record<string, string> =>
  Object.fromEntries(exportedEnvironmentVariables.map(({ name, value }) => [name, value]));

function describeFailure({ id, buildStatus, phases = [] }: BuildAnswer): string {
  const failed = phases.find((phase) => phase.phaseStatus === "FAILED");
  const why = failed?.contexts?.[0]?.message;
  const phase = failed ? ` Phase: ${failed.phaseType}` : "";
  const reason = why ? `, ${why}` : "";
  return `Build terminated with state: ${buildStatus}.${phase}${reason} (build ${id})`;
}
