import { mkdir, readdir, rm } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import type { Readable } from "node:stream";
import { packFiles } from "../../archive.ts";
import { readBody } from "../../gateway/read-body.ts";
import { Failure } from "../../gateway/failure.ts";
import type { ActionContext, ActionOutcome } from "../action.ts";
import { encryptionOf } from "./artifacts.ts";

const LIMIT_BYTES = 2 * 1024 ** 3;

interface Commit {
  readonly commitId: string;
  readonly message: string;
  readonly authorDate: string;
  readonly committerDate: string;
}

/** The newest commit of a branch, or the one that started this execution, as a ZIP. */
export async function codeCommitSource({ core, execution, configuration, outputs, as, current, declared }: ActionContext): Promise<ActionOutcome> {
  const { account, region } = execution;
  const { RepositoryName: repositoryName = "", BranchName: branchName = "main", OutputArtifactFormat: format = "CODE_ZIP" } = configuration;
  const wanted = execution.requestedRevisions?.[declared.name ?? ""] ?? commitOf(execution.trigger.triggerDetail);
  const directory = join(core.dataDir, "work", "codepipeline", current().id);
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  try {
    const commit = await core.dispatcher.call<Commit>({
      service: "codecommit", operation: "CheckOut", as, account, region, context: { "omx:Pipeline": execution.pipeline },
      input: { repositoryName, commitSpecifier: wanted ?? branchName, directory, clone: format === "CODEBUILD_CLONE_REF", branchName },
    });
    await store({ core, execution, as, outputs }, await packFolder(directory));
    const { commitId, message, authorDate, committerDate } = commit;
    return {
      variables: { CommitId: commitId, BranchName: branchName, RepositoryName: repositoryName, CommitMessage: message, AuthorDate: authorDate, CommitterDate: committerDate },
      revision: { id: commitId, summary: message.split("\n")[0] ?? "", url: `https://${region}.console.aws.amazon.com/codecommit/home#/repository/${repositoryName}/commit/${commitId}` },
      summary: message.split("\n")[0] ?? "",
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function packFolder(folder: string): Promise<Buffer> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name)).sort();
  return packFiles(paths.map((path) => ({ path, name: relative(folder, path).split(sep).join("/") })));
}

/** Started by a push, an execution builds that commit; two pushes at once are two executions. */
const commitOf = (triggerDetail: string): string | undefined => /commit ([0-9a-f]{40})/.exec(triggerDetail)?.[1];

/** An object of a bucket, copied into the artifact store. */
export async function s3Source({ core, execution, configuration, outputs, as }: ActionContext): Promise<ActionOutcome> {
  const { account, region } = execution;
  const { S3Bucket: bucket = "", S3ObjectKey: key = "" } = configuration;
  const object = await core.dispatcher.call<{ Body: Readable; ETag?: string; VersionId?: string }>({ service: "s3", operation: "GetObject", input: { Bucket: bucket, Key: key }, as, account, region });
  await store({ core, execution, as, outputs }, await readBody(object.Body, LIMIT_BYTES));
  const revision = object.VersionId ?? object.ETag?.replaceAll('"', "") ?? "";
  return { variables: { BucketName: bucket, ObjectKey: key, ETag: object.ETag?.replaceAll('"', "") ?? "", VersionId: object.VersionId ?? "null" }, revision: { id: revision, summary: `Amazon S3 version id: ${revision}`, url: `s3://${bucket}/${key}` } };
}

async function store({ core, execution, as, outputs }: Pick<ActionContext, "core" | "execution" | "as" | "outputs">, Body: Buffer): Promise<void> {
  const [output] = outputs;
  if (!output) throw new Failure("ConfigurationError", "a source action needs an output artifact");
  const input = { Bucket: output.bucket, Key: output.key, Body, ContentType: "application/zip", ...encryptionOf(execution) };
  await core.dispatcher.call({ service: "s3", operation: "PutObject", input, as, account: execution.account, region: execution.region });
}
