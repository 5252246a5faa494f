import type { S3Client } from "@aws-sdk/client-s3";
import picomatch from "picomatch";
import { isMissing, listObjects, readObject } from "../../aws/objects.ts";
import { joinS3Uri, parseS3Uri } from "../../kit/s3-uri.ts";

/** What a run left in S3, read when it is asked for. */
export interface RunOutputs {
  /** The URI under which everything lies. */
  readonly uri: string;
  /** `outputs.json` of WDL and CWL; undefined for Nextflow, which has none. */
  values(): Promise<Readonly<Record<string, unknown>> | undefined>;
  /** Files below the run's folder, with `out/` left off. */
  files(): Promise<readonly { readonly path: string; readonly uri: string; readonly size: number }[]>;
  read(uri: string): Promise<Buffer>;
}

/** Opens the outputs of a run at its `runOutputUri` (guide: `out/`, `logs/outputs.json`, `pubdir/`). */
export function openOutputs(s3: S3Client, uri: string): RunOutputs {
  const root = parseS3Uri(uri.replace(/\/+$/, ""));
  let listed: Promise<readonly { path: string; uri: string; size: number }[]> | undefined;
  return {
    uri,
    async values() {
      try {
        return JSON.parse((await readObject(s3, joinS3Uri(root, "logs/outputs.json"))).toString("utf8")) as Record<string, unknown>;
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    },
    files: () => (listed ??= list()),
    read: (file) => readObject(s3, parseS3Uri(file)),
  };

  async function list() {
    const found: { path: string; uri: string; size: number }[] = [];
    for await (const { key, size } of listObjects(s3, { bucket: root.bucket, key: `${root.key}/` })) {
      const path = key.slice(root.key.length + 1);
      found.push({ path: path.replace(/^out\//, ""), uri: `s3://${root.bucket}/${key}`, size });
    }
    return found;
  }
}

/** Files whose path matches a pattern (`*`, `**`), logs left out. */
export async function matchingFiles(outputs: RunOutputs, pattern: string) {
  const matches = picomatch(pattern, { dot: true });
  return (await outputs.files()).filter(
    ({ path }) => !path.startsWith("logs/") && (matches(path) || matches(path.split("/").at(-1) ?? "")),
  );
}
