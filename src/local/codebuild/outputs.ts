import { readFile } from "node:fs/promises";
import { packFiles } from "../archive.ts";
import type { Core } from "../gateway/service.ts";
import type { Artifacts, BuildSpec } from "./buildspec.ts";
import { Failure } from "../gateway/failure.ts";
import type { BuildFolders } from "./runner.ts";
import type { BuildParts } from "./sources.ts";
import type { Build, ProjectArtifacts } from "./store.ts";
import { findArtifacts } from "./workspace.ts";

interface Outputs extends BuildParts {
  readonly spec: BuildSpec;
}

/** Uploads what the build leaves: to the pipeline that started it, else to the S3 places of the project. @throws Failure, AwsError */
export async function uploadOutputs(core: Core, build: Build, parts: Outputs): Promise<void> {
  if (build.pipeline) return uploadToPipeline(core, build, parts);
  const { artifacts, secondaryArtifacts = [] } = build.project;
  await uploadToBucket(core, build, { ...parts, target: artifacts, artifacts: parts.spec.artifacts });
  for (const target of secondaryArtifacts)
    await uploadToBucket(core, build, { ...parts, target, artifacts: parts.spec.secondaryArtifacts[target.artifactIdentifier ?? ""] });
}

async function uploadToPipeline(core: Core, build: Build, { folders, as, spec }: Outputs): Promise<void> {
  for (const [index, output] of (build.pipeline?.outputs ?? []).entries()) {
    const artifacts = spec.secondaryArtifacts[output.name] ?? (index === 0 ? spec.artifacts : undefined);
    if (!artifacts) throw new Failure("CLIENT_ERROR", `the buildspec names no artifacts for ${output.name}`);
    const body = await packFiles(await findArtifacts(folders.source, inFolder(artifacts, folders)));
    await put(core, build, { as, bucket: output.bucket, key: output.key, body });
  }
}

type Upload = BuildParts & { readonly target: ProjectArtifacts; readonly artifacts: Artifacts | undefined };

/** As one ZIP, or as a folder of files: `packaging` decides. Paths: https://docs.aws.amazon.com/codebuild/latest/APIReference/API_ProjectArtifacts.html */
async function uploadToBucket(core: Core, build: Build, { folders, as, target, artifacts }: Upload): Promise<void> {
  if (target.type !== "S3" || !artifacts) return;
  const name = target.overrideArtifactName === true && artifacts.name ? artifacts.name : (target.name ?? build.projectName);
  const id = target.namespaceType === "BUILD_ID" ? build.id.split(":").at(-1) : undefined;
  const key = [target.path, id, name].filter((part) => part && part !== "/").join("/");
  const bucket = (target.location ?? "").replace(/^arn:aws:s3:::/, "");
  const files = await findArtifacts(folders.source, inFolder(artifacts, folders));
  if (target.packaging === "ZIP") return put(core, build, { as, bucket, key, body: await packFiles(files) });
  for (const file of files) await put(core, build, { as, bucket, key: `${key}/${file.name}`, body: await readFile(file.path) });
}

interface Stored {
  readonly as: BuildParts["as"];
  readonly bucket: string;
  readonly key: string;
  readonly body: Buffer;
}

async function put(core: Core, { account, region, project }: Build, { as, bucket, key, body }: Stored): Promise<void> {
  const encryption = project.encryptionKey ? { ServerSideEncryption: "aws:kms", SSEKMSKeyId: project.encryptionKey } : {};
  await core.dispatcher.call({
    service: "s3",
    operation: "PutObject",
    input: { Bucket: bucket, Key: key, Body: body, ...encryption },
    as,
    account,
    region,
  });
}

/** Artifact paths may name CodeBuild's own folder. */
const inFolder = (artifacts: Artifacts, { source }: BuildFolders): Artifacts => ({
  ...artifacts,
  baseDirectory: artifacts.baseDirectory.replace(/^\$\{?CODEBUILD_SRC_DIR\}?/, source),
});
