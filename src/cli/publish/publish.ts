import { CreateWorkflowCommand, CreateWorkflowVersionCommand } from "@aws-sdk/client-omics";
import { ALL_SERVICES } from "../../aws/clients.ts";
import { listVersions, listWorkflowsNamed, settledVersion, settledWorkflow } from "../../aws/workflows.ts";
import { formatReleaseVersion } from "../../kit/version.ts";
import type { Project } from "../../release/project/project.ts";
import { nextVersion } from "../../release/publish/number.ts";
import { openSession, type Session } from "../aws/session.ts";
import { type Cli, Problem, UsageError } from "../cli.ts";
import { openProject } from "../run/open-project.ts";
import { type ContentOptions, askedContent, contentOf, type VersionContent } from "./content.ts";

export interface PublishOptions extends ContentOptions {
  readonly workflowId?: string;
  readonly name?: string;
  readonly versionName?: string;
  readonly requestId?: string;
  readonly tag?: Readonly<Record<string, string>>;
  readonly profile?: string;
  readonly region?: string;
}

/** What `omx publish --json` prints. */
export interface Published {
  readonly workflowId: string;
  readonly versionName: string;
  readonly arn: string;
  readonly status: string;
  readonly message?: string;
}

/**
 * Creates a version and waits until it is ACTIVE.
 * @throws Problem with HealthOmics's message when it becomes FAILED
 */
export async function publishVersion(cli: Cli, path: string | undefined, options: PublishOptions): Promise<Published> {
  const project =
    path === undefined
      ? undefined
      : openProject(path, { ...(options.main && { main: options.main }), ...(options.engine && { engine: options.engine }) });
  // What lacks is told before a workflow is made for the version.
  if (options.workflowId === undefined) nameOf(project, options);
  if (options.versionName === undefined) declaredIn(project);
  const asked = askedContent(options);
  const session = await openSession(cli, options, ALL_SERVICES);
  const content = await contentOf(session, project, asked);
  const workflowId = options.workflowId ?? (await workflowFor(cli, session, { name: nameOf(project, options), content }));
  const versionName = options.versionName ?? (await nextNameOf(session, workflowId, project));
  const { omics } = session.clients;
  const tags = { ...project?.config.tags, ...options.tag };
  const created = await omics.send(
    new CreateWorkflowVersionCommand({
      ...content,
      workflowId,
      versionName,
      requestId: options.requestId ?? cli.random.uuid(),
      ...(Object.keys(tags).length > 0 && { tags }),
    }),
  );
  const { status, message } = await settledVersion(omics, workflowId, versionName, { clock: cli.clock });
  if (status !== "ACTIVE")
    throw new Problem(
      `version ${versionName} of workflow ${workflowId} is ${status}${message ? `: ${message}` : ""}`,
      "correct the definition; the name of a FAILED version stays taken",
    );
  return { workflowId, versionName, arn: created.arn ?? "", status, ...(message && { message }) };
}

function nameOf(project: Project | undefined, { name }: PublishOptions): string {
  const chosen = name ?? project?.config.name;
  if (!chosen) throw new UsageError("say which workflow: --workflow-id or --name");
  return chosen;
}

/** The account's one workflow of the name, or a new one. */
async function workflowFor(
  cli: Cli,
  { clients: { omics } }: Session,
  { name, content }: { readonly name: string; readonly content: VersionContent },
): Promise<string> {
  const [found, ...others] = (await listWorkflowsNamed(omics, name)).filter(({ status }) => status === "ACTIVE");
  if (others.length > 0) throw new Problem(`there are ${others.length + 1} workflows named ${name}`, "choose one with --workflow-id");
  if (found?.id) return found.id;
  // The tag makes it the workflow whose versions a pipeline's releases become.
  const { id = "" } = await omics.send(
    new CreateWorkflowCommand({ ...content, name, tags: { "omx:anchor": name }, requestId: cli.random.uuid() }),
  );
  const { status, message } = await settledWorkflow(omics, id, { clock: cli.clock });
  if (status !== "ACTIVE")
    throw new Problem(`workflow ${name} (${id}) is ${status}${message ? `: ${message}` : ""}`, "correct the definition and publish again");
  cli.say(`created workflow ${id} (${name})`);
  return id;
}

async function nextNameOf({ clients }: Session, workflowId: string, project: Project | undefined): Promise<string> {
  const names = (await listVersions(clients.omics, workflowId)).map(({ versionName }) => versionName ?? "");
  return formatReleaseVersion(nextVersion(declaredIn(project), names));
}

function declaredIn(project: Project | undefined): Project["version"] {
  if (!project) throw new UsageError("give --version-name: without PATH there is no omx.yaml to take it from");
  return project.version;
}
