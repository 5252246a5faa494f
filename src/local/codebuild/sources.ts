import { existsSync, readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import type { Principal } from "../authorization/principal.ts";
import { readBody } from "../gateway/read-body.ts";
import type { Core } from "../gateway/service.ts";
import { type BuildSpec, parseBuildSpec } from "./buildspec.ts";
import { Failure } from "../gateway/failure.ts";
import type { BuildFolders } from "./runner.ts";
import type { Build, ProjectSource } from "./store.ts";
import { unzip } from "./workspace.ts";

export interface BuildParts {
  readonly folders: BuildFolders;
  readonly as: Principal;
}

const ARCHIVE_LIMIT_BYTES = 2 * 1024 ** 3;

/** Fetches every source of a build as its role. @throws Failure, AwsError */
export async function downloadSources(core: Core, build: Build, { folders, as }: BuildParts): Promise<void> {
  await mkdir(folders.source, { recursive: true });
  if (build.pipeline) {
    for (const [index, input] of build.pipeline.inputs.entries()) {
      const folder = index === 0 ? folders.source : `${folders.source}_${input.name}`;
      await unzip(await readObject(core, build, { as, bucket: input.bucket, key: input.key }), folder);
    }
    return;
  }
  const { source, secondarySources = [], secondarySourceVersions = [] } = build.project;
  await fetchSource(core, build, { as, source, folder: folders.source, version: build.sourceVersion });
  for (const secondary of secondarySources) {
    const version = secondarySourceVersions.find(({ sourceIdentifier }) => sourceIdentifier === secondary.sourceIdentifier)?.sourceVersion;
    await fetchSource(core, build, { as, source: secondary, folder: `${folders.source}_${secondary.sourceIdentifier}`, version });
  }
}

interface Fetch {
  readonly as: Principal;
  readonly source: ProjectSource;
  readonly folder: string;
  readonly version: string | undefined;
}

async function fetchSource(core: Core, build: Build, { as, source, folder, version }: Fetch): Promise<void> {
  switch (source.type) {
    case "NO_SOURCE":
    case "CODEPIPELINE":
      return;
    case "S3": {
      const [bucket = "", ...key] = (source.location ?? "").replace(/^arn:aws:s3:::/, "").split("/");
      await unzip(await readObject(core, build, { as, bucket, key: key.join("/") }), folder);
      return;
    }
    case "CODECOMMIT": {
      const repositoryName = source.location?.split("/").at(-1) ?? "";
      await mkdir(folder, { recursive: true });
      await core.dispatcher.call({
        service: "codecommit",
        operation: "CheckOut",
        input: { repositoryName, commitSpecifier: version, directory: folder },
        as,
        account: build.account,
        region: build.region,
      });
      return;
    }
    default:
      throw new Failure(
        "INVALID_INPUT",
        `the local accounts do not fetch sources of type ${source.type}; use CODECOMMIT, S3, CODEPIPELINE or NO_SOURCE`,
      );
  }
}

/** Reads an object whole, as the build's role. */
export async function readObject(
  core: Core,
  { account, region }: Pick<Build, "account" | "region">,
  { as, bucket, key }: { readonly as: Principal; readonly bucket: string; readonly key: string },
): Promise<Buffer> {
  const { Body } = await core.dispatcher.call<{ Body: Readable }>({
    service: "s3",
    operation: "GetObject",
    input: { Bucket: bucket, Key: key },
    as,
    account,
    region,
  });
  return readBody(Body, ARCHIVE_LIMIT_BYTES);
}

/** The buildspec: inline, an object of S3 by its ARN, or a file of the source. @throws Failure YAML_FILE_ERROR, AwsError */
export async function readSpec(core: Core, build: Build, { folders, as }: BuildParts): Promise<BuildSpec> {
  const text = build.project.source.buildspec ?? "buildspec.yml";
  if (text.includes("\n") || text.trimStart().startsWith("{")) return parseBuildSpec(text);
  const [, bucket, key] = /^arn:aws:s3:::([^/]+)\/(.+)$/.exec(text) ?? [];
  if (bucket && key) return parseBuildSpec((await readObject(core, build, { as, bucket, key })).toString("utf8"));
  const file = join(folders.source, text);
  if (!existsSync(file)) throw new Failure("YAML_FILE_ERROR", `Message: YAML file does not exist: ${text}`);
  return parseBuildSpec(readFileSync(file, "utf8"));
}
