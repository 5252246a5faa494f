import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { zipSync, type Zippable } from "fflate";
import { statObject, writeObject } from "../../aws/objects.ts";
import { formatS3Uri } from "../../kit/s3-uri.ts";
import type { ReleaseEnvironment } from "../environment.ts";
import { artifactsBucket, PREFIXES } from "../names.ts";
import type { ImageBuild } from "../project/omx-yaml.ts";
import { listSource } from "./source-folder.ts";

const FIRST_DAY = new Date(1980, 0, 1);

export interface UploadedSource {
  readonly build: ImageBuild;
  /** `s3://…/<hash>.zip`: the same source has the same address. */
  readonly source_uri: string;
}

/** Packs the source of each image that is built, and puts it where the builder may read. */
export async function uploadBuildSources({ clients, cicd }: ReleaseEnvironment, { workflow, root, builds }: { readonly workflow: string; readonly root: string; readonly builds: readonly ImageBuild[] }): Promise<readonly UploadedSource[]> {
  const bucket = artifactsBucket(cicd.account, cicd.region);
  const uploaded: UploadedSource[] = [];
  for (const build of builds) {
    const zip = await packFolder(join(root, build.source));
    const at = { bucket, key: `${PREFIXES.imageSources}/${workflow}/${createHash("sha256").update(zip).digest("hex")}.zip` };
    if (!(await statObject(clients.s3, at))) await writeObject(clients.s3, at, zip, "application/zip");
    uploaded.push({ build, source_uri: formatS3Uri(at) });
  }
  return uploaded;
}

async function packFolder(folder: string): Promise<Uint8Array> {
  const contents: Zippable = {};
  for (const { path, isExecutable, linkTarget } of await listSource(folder)) {
    const mode = linkTarget === undefined ? (isExecutable ? 0o100755 : 0o100644) : 0o120777;
    contents[path] = [linkTarget === undefined ? await readFile(join(folder, path)) : Buffer.from(linkTarget), { mtime: FIRST_DAY, os: 3, attrs: (mode << 16) >>> 0 }];
  }
  return zipSync(contents);
}
