import { isMissing, readObject } from "../../aws/objects.ts";
import { listVersions } from "../../aws/workflows.ts";
import type { Identity, ReleaseEnvironment } from "../environment.ts";
import { artifactsBucket } from "../names.ts";
import { RECORD_FILE } from "../promote/bundle.ts";
import type { ReleaseResult } from "../promote/result.ts";
import { evidencePrefix } from "./build-record.ts";
import type { PublishedVersion } from "./create-version.ts";
import { releasesAmong } from "./number.ts";

/** A version that is compared with those before it. */
export interface Compared {
  readonly env: Pick<ReleaseEnvironment, "clients" | "cicd">;
  readonly identity: Pick<Identity, "workflow">;
  readonly version: Pick<PublishedVersion, "workflowId" | "versionName">;
}

/** The ACTIVE versions of the workflow before this one, latest first. @throws the SDK's errors */
export async function versionsBefore({ env, version }: Compared): Promise<readonly string[]> {
  const names = (await listVersions(env.clients.omics, version.workflowId))
    .filter(({ status }) => status === "ACTIVE")
    .map(({ versionName }) => versionName ?? "");
  const all = releasesAmong(names);
  return all.slice(all.indexOf(version.versionName) + 1);
}

/** The first of these versions that reached production: what was rejected, or waits, is nothing to compare with. */
export async function firstReleased(of: Compared, versions: readonly string[]): Promise<string | undefined> {
  for (const version of versions) {
    const released = await evidenceOf<{ readonly results?: readonly ReleaseResult[] }>(of, version, RECORD_FILE);
    if (released?.results?.some(({ status }) => status === "ACTIVE")) return version;
  }
  return undefined;
}

/** A document among the evidence of an earlier version; undefined where it left none. */
export async function evidenceOf<Content>({ env, identity }: Compared, version: string, file: string): Promise<Content | undefined> {
  const at = { bucket: artifactsBucket(env.cicd.account, env.cicd.region), key: `${evidencePrefix(identity.workflow, version)}/${file}` };
  try {
    return JSON.parse((await readObject(env.clients.s3, at)).toString("utf8")) as Content;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
