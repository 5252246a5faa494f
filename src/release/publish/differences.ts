import { GetWorkflowVersionCommand } from "@aws-sdk/client-omics";
import { listVersions } from "../../aws/workflows.ts";
import { readObject } from "../../aws/objects.ts";
import { artifactsBucket } from "../names.ts";
import { type BuildRecord, type BuiltParts, type Change, type Differences, evidencePrefix } from "./build-record.ts";
import { releasesAmong } from "./number.ts";

/** Compares a build with the last version before it. */
export async function compareWithLast({ env, identity, project, lock, packed, version }: BuiltParts): Promise<Differences> {
  const names = (await listVersions(env.clients.omics, version.workflowId)).filter(({ status }) => status === "ACTIVE").map(({ versionName }) => versionName ?? "");
  const earlier = releasesAmong(names);
  const since = earlier[earlier.indexOf(version.versionName) + 1];
  if (since === undefined) return { parameters: [], images: [], files: [] };
  const before = await env.clients.omics.send(new GetWorkflowVersionCommand({ workflowId: version.workflowId, versionName: since }));
  const record = await lastRecord(env.clients.s3, artifactsBucket(env.cicd.account, env.cicd.region), evidencePrefix(identity.workflow, since));
  const need = (optional: boolean | undefined): string => (optional ? "optional" : "required");
  const parameters = changes(
    Object.fromEntries(Object.entries(before.parameterTemplate ?? {}).map(([name, { optional }]) => [name, need(optional)])),
    Object.fromEntries(Object.entries(project.parameterTemplate).map(([name, { optional }]) => [name, need(optional)])),
  );
  const digests = (images: readonly { readonly image: string; readonly digest: string }[]) => Object.fromEntries(images.map(({ image, digest }) => [image, digest]));
  const images = record ? changes(digests(record.images), digests(lock.images)) : [];
  const breaking = parameters.filter(({ change, after }) => change === "removed" || after === "required").map(({ name, change }) => `${name} (${change === "removed" ? "removed" : "now required"})`);
  const packedBefore = record?.files.find((file) => file.name === "definition.zip")?.sha256;
  return {
    since, parameters, images, files: packedBefore === packed.sha256 ? [] : ["definition.zip"],
    ...(breaking.length > 0 && { breaking: `callers of ${since} would break: ${breaking.join(", ")}; a new major version says so` }),
  };
}

async function lastRecord(s3: Parameters<typeof readObject>[0], bucket: string, prefix: string): Promise<BuildRecord | undefined> {
  return readObject(s3, { bucket, key: `${prefix}/build.json` }).then((body) => JSON.parse(body.toString("utf8")) as BuildRecord, () => undefined);
}

function changes(before: Readonly<Record<string, string>>, after: Readonly<Record<string, string>>): readonly Change[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return names.flatMap((name): Change[] => {
    const [was, is] = [before[name], after[name]];
    if (was === is) return [];
    return [{ name, change: was === undefined ? "added" : is === undefined ? "removed" : "changed", ...(was !== undefined && { before: was }), ...(is !== undefined && { after: is }) }];
  });
}
