import { readFileSync } from "node:fs";
import { join } from "node:path";
import { GetCommitCommand } from "@aws-sdk/client-codecommit";
import { GetPipelineExecutionCommand } from "@aws-sdk/client-codepipeline";
import { awsClients } from "../../aws/clients.ts";
import { systemClock } from "../../kit/clock.ts";
import { parseS3Uri } from "../../kit/s3-uri.ts";
import { contentDigest } from "../../release/approval/content.ts";
import type { ReleaseEnvironment } from "../../release/environment.ts";
import { ReleaseError } from "../../release/errors.ts";
import { describeEvent } from "../../release/events.ts";
import { encodeResult } from "../../release/images/after-build.ts";
import { buildInBuild } from "../../release/images/build/build-from-s3.ts";
import type { ImagePull } from "../../release/images/plan.ts";
import { pullImage } from "../../release/images/pull/pull.ts";
import type { BuildItem, ImageOutcome } from "../../release/images/staging.ts";
import { pipelineName } from "../../release/names.ts";
import { promoteRelease } from "../../release/promote/promote.ts";
import { BUILD_FILE } from "../../release/publish/build-record.ts";
import { releaseBundle } from "../../release/promote/release-bundle.ts";
import { checkPullRequest } from "../../release/project/pull-request.ts";
import { buildRelease } from "../../release/release.ts";
import { type HandlerSettings, environmentSettings } from "../settings.ts";
import { BUILD_TUNING, workshopOf } from "../workshop.ts";

type Command = (settings: HandlerSettings, env: ReleaseEnvironment) => Promise<void>;

// Below the sources: where a build leaves its artifact.
const OUTPUT_DIR = ".omx-release";

const print = (line: string): void => void process.stdout.write(`${line}\n`);

/** What a build can be asked to do: `node omx-ci.mjs <command>`. */
const COMMANDS: Readonly<Record<string, Command>> = {
  async check({ sourceDir, workflow, repository, pullRequest, commit, baseCommit }, env) {
    const passed = await checkPullRequest(env, { root: sourceDir, workflow, repository, pullRequest, commit, baseCommit });
    if (!passed)
      throw new ReleaseError("WorkflowInvalid", {
        says: "the checks found errors",
        fix: "see the comment on the pull request",
        blame: "user",
      });
  },
  async build(settings, env) {
    const author = await authorOf(settings);
    const identity = {
      workflow: settings.workflow,
      commit: settings.commit,
      branch: settings.branch,
      pipelineExecutionId: settings.pipelineExecutionId,
      startedBy: await startedBy(settings),
      ...(author && { author }),
    };
    const record = await buildRelease({ ...env, target: settings.target }, identity, {
      root: settings.sourceDir,
      outputDir: join(settings.sourceDir, OUTPUT_DIR),
    });
    print(`built ${record.workflow} ${record.version}: workflow ${record.cicd.workflowId}`);
  },
  async content({ sourceDir }) {
    print(contentDigest(JSON.parse(readFileSync(join(sourceDir, OUTPUT_DIR, BUILD_FILE), "utf8")) as object));
  },
  async promote({ sourceDir, deployment, workflow, pipelineExecutionId, target }, env) {
    const results = await promoteRelease(
      { ...env, s3In: (region) => awsClients({ ...target, region }).s3 },
      { buildDir: sourceDir, production: deployment.production, identity: { workflow, pipelineExecutionId } },
    );
    for (const { account, message, workflowId } of results) print(`production ${account}: workflow ${workflowId}: ${message}`);
  },
  async release(settings, env) {
    const { bucket, key } = parseS3Uri(settings.bundle);
    const place = settings.deployment.production.find(({ region, account }) => bucket.endsWith(`-${account}-${region}`));
    if (!place) throw new Error(`${settings.bundle} is in no production account of this deployment`);
    const result = await releaseBundle(
      { ...env, place, target: settings.target, repositories: settings.deployment.containers.repositories },
      { bucket, prefix: key },
    );
    print(`released: workflow ${result.workflowId}: ${result.message}`);
  },
  async "image-build"(settings) {
    printOutcome(await buildInBuild(workshopOf(settings, BUILD_TUNING), JSON.parse(settings.imageBuild) as BuildItem, settings.inherited));
  },
  async "image-pull"(settings) {
    printOutcome(await pullImage(workshopOf(settings, BUILD_TUNING), JSON.parse(settings.imagePull) as ImagePull));
  },
};

/** Runs a command and returns the exit code: 0 done, 1 not done, 2 wrong usage. */
export async function runCommand(name: string): Promise<number> {
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!command) {
    process.stderr.write(`usage: omx-ci ${Object.keys(COMMANDS).join("|")}\n`);
    return 2;
  }
  try {
    const settings = environmentSettings();
    await command(settings, {
      clients: settings.clients,
      cicd: settings.deployment.cicd,
      clock: systemClock,
      emit: (event) => print(describeEvent(event)),
    });
    return 0;
  } catch (error) {
    const { message, stack } = error as Error;
    process.stderr.write(error instanceof ReleaseError ? `✗ ${message}\n  ${error.fix}\n` : `✗ ${stack ?? message}\n`);
    return 1;
  }
}

/** The last line is the build's result; its buildspec exports it. @throws ReleaseError ImagesFailed for an image that failed */
function printOutcome(outcome: Pick<ImageOutcome, "status" | "reason">): void {
  if (outcome.status === "FAILED")
    throw new ReleaseError("ImagesFailed", {
      says: outcome.reason ?? "no reason given",
      fix: "start the execution again when the reason is gone: what is there is not moved again",
      blame: "user",
    });
  print(encodeResult(outcome));
}

/** Who wrote the commit; only CodeCommit is asked, which needs no credentials of somebody else's. */
async function authorOf({ clients, repository, commit }: HandlerSettings): Promise<string | undefined> {
  if (repository === "") return undefined;
  const { author } = (await clients.codecommit.send(new GetCommitCommand({ repositoryName: repository, commitId: commit }))).commit ?? {};
  return author?.name && `${author.name}${author.email ? ` <${author.email}>` : ""}`;
}

/** Who started the pipeline: `Webhook:…`, `StartPipelineExecution:<arn>`, … */
async function startedBy({ clients, workflow, pipelineExecutionId }: HandlerSettings): Promise<string> {
  const { pipelineExecution } = await clients.codepipeline.send(
    new GetPipelineExecutionCommand({ pipelineName: pipelineName(workflow), pipelineExecutionId }),
  );
  const { triggerType = "Unknown", triggerDetail = "" } = pipelineExecution?.trigger ?? {};
  return `${triggerType} ${triggerDetail}`
    .trim()
    .replaceAll(/[^\p{L}\p{Z}\p{N}_.:/=+\-@]/gu, "_")
    .slice(0, 256);
}
