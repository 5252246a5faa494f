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
  const { core, execution, configuration, inputs, outputs, as, signal, current, note } = context;
  const { account, region } = execution;
  const call = <Output>(operation: string, input: object) =>
    core.dispatcher.call<Output>({
      service: "codebuild",
      operation,
      input,
      as,
      account,
      region,
      context: { "omx:Pipeline": execution.pipeline },
    });
  const id = current().externalId ?? (await start());
  for (;;) {
    const {
      builds: [build],
    } = await call<{ builds: readonly BuildAnswer[] }>("BatchGetBuilds", { ids: [id] });
    if (!build) throw new Failure("JobFailed", `build ${id} is gone`);
    if (build.buildStatus === "SUCCEEDED")
      return { variables: Object.fromEntries((build.exportedEnvironmentVariables ?? []).map(({ name, value }) => [name, value])) };
    if (build.buildStatus !== "IN_PROGRESS") throw new Failure("JobFailed", describeFailure(build));
    if (execution.stopRequested?.abandon || current().status === "Abandoned") {
      await call("StopBuild", { id });
      throw new Failure("JobFailed", "the execution was stopped");
    }
    await core.clock.sleep(POLL_MS, signal);
  }

  async function start(): Promise<string> {
    const primary = configuration["PrimarySource"];
    const ordered = primary ? [...inputs.filter(({ name }) => name === primary), ...inputs.filter(({ name }) => name !== primary)] : inputs;
    const { build } = await call<{ build: BuildAnswer }>("StartBuild", {
      projectName: configuration["ProjectName"],
      environmentVariablesOverride: readVariables(configuration["EnvironmentVariables"]),
      idempotencyToken: current().id,
      pipeline: { inputs: ordered, outputs },
      ...(revisionOf(context) && { sourceVersion: revisionOf(context) }),
    });
    note({ externalId: build.id, ...(build.logs?.deepLink && { externalUrl: build.logs.deepLink }) });
    return build.id;
  }
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

function describeFailure({ id, buildStatus, phases = [] }: BuildAnswer): string {
  const failed = phases.find((phase) => phase.phaseStatus === "FAILED");
  const why = failed?.contexts?.[0]?.message;
  return `Build terminated with state: ${buildStatus}.${failed ? ` Phase: ${failed.phaseType}` : ""}${why ? `, ${why}` : ""} (build ${id})`;
}
