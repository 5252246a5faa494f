import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { zipSync, type Zippable } from "fflate";
import { statObject, writeObject } from "../../../aws/objects.ts";
import { formatS3Uri } from "../../../kit/s3-uri.ts";
import type { ReleaseEnvironment } from "../../environment.ts";
import { readableSize } from "../../../kit/readable-size.ts";
import { formatLimits, UNPACK_LIMITS } from "../../../oci/image/archive.ts";
import { ReleaseError } from "../../errors.ts";
import { artifactsBucket, PREFIXES } from "../../names.ts";
import type { ImageBuild } from "../../project/omx-yaml.ts";
import { emptyFolders, foldersAbove, listSource, usedFiles } from "./source-files.ts";

const FIRST_DAY = new Date(1980, 0, 1);

export interface UploadedSource {
  readonly build: ImageBuild;
  /** `s3://…/<hash>.zip`: the same source has the same address. */
  readonly source_uri: string;
}

/** Packs the source of each image that is built, and puts it where the builder may read. */
export async function uploadBuildSources(
  { clients, cicd }: ReleaseEnvironment,
  { workflow, root, builds }: { readonly workflow: string; readonly root: string; readonly builds: readonly ImageBuild[] },
): Promise<readonly UploadedSource[]> {
  const bucket = artifactsBucket(cicd.account, cicd.region);
  const uploaded: UploadedSource[] = [];
  for (const build of builds) {
    const zip = await packSource(join(root, build.source), build);
    const at = { bucket, key: `${PREFIXES.imageSources}/${workflow}/${createHash("sha256").update(zip).digest("hex")}.zip` };
    if (!(await statObject(clients.s3, at))) await writeObject(clients.s3, at, zip, "application/zip");
    uploaded.push({ build, source_uri: formatS3Uri(at) });
  }
  return uploaded;
}

/** What the build may copy, and what says how: a folder beside it may hold the data of all tests. */
async function packSource(folder: string, { source, dockerfile }: ImageBuild): Promise<Uint8Array> {
  const contents: Zippable = {};
  const files = await usedFiles(folder, dockerfile);
  const sizeBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0);
  if (sizeBytes > UNPACK_LIMITS.bytes || files.length > UNPACK_LIMITS.entries)
    throw new ReleaseError("ProjectInvalid", {
      says: `the source ${source} of an image has ${readableSize(sizeBytes)} in ${files.length} files, and may have ${formatLimits(UNPACK_LIMITS)}`,
      fix: `leave out by ${join(source, ".dockerignore")} what the image does not need`,
      blame: "user",
    });
  // A folder of which all is left out can be copied, and is empty.
  const left = (await listSource(folder)).flatMap(({ path }) => foldersAbove(path));
  for (const above of [...left, ...(await emptyFolders(folder, dockerfile))])
    contents[`${above}/`] = [new Uint8Array(), { mtime: FIRST_DAY, os: 3, attrs: (0o40755 << 16) >>> 0 }];
  for (const { path, isExecutable, linkTarget } of files) {
    const mode = linkTarget === undefined ? (isExecutable ? 0o100755 : 0o100644) : 0o120777;
    contents[path] = [
      linkTarget === undefined ? await readFile(join(folder, path)) : Buffer.from(linkTarget),
      { mtime: FIRST_DAY, os: 3, attrs: (mode << 16) >>> 0 },
    ];
  }
  return zipSync(contents);
}
