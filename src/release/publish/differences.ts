import { GetWorkflowVersionCommand } from "@aws-sdk/client-omics";
import { BUILD_FILE, type BuildRecord, type BuiltParts, type Change, type Differences } from "./build-record.ts";
import { evidenceOf, firstReleased, versionsBefore } from "./last-release.ts";

/**
 * Compares a build with the last version before it that was released, or, where none was yet, with the last that was built: what nobody
 * has approved is no news of yesterday.
 */
export async function compareWithLast(parts: BuiltParts): Promise<Differences> {
  const { env, project, lock, packed, version } = parts;
  const earlier = await versionsBefore(parts);
  const released = await firstReleased(parts, earlier);
  const since = released ?? earlier[0];
  if (since === undefined) return { parameters: [], images: [], files: [] };
  const before = await env.clients.omics.send(new GetWorkflowVersionCommand({ workflowId: version.workflowId, versionName: since }));
  const record = await evidenceOf<BuildRecord>(parts, since, BUILD_FILE);
  const need = (optional: boolean | undefined): string => (optional ? "optional" : "required");
  const parameters = changes(
    Object.fromEntries(Object.entries(before.parameterTemplate ?? {}).map(([name, { optional }]) => [name, need(optional)])),
    Object.fromEntries(Object.entries(project.parameterTemplate).map(([name, { optional }]) => [name, need(optional)])),
  );
  const digests = (images: readonly { readonly image: string; readonly digest: string }[]) =>
    Object.fromEntries(images.map(({ image, digest }) => [image, digest]));
  const bytes = new Map(record?.images.map((each) => [each.image, each.bytes]));
  const images = record
    ? changes(digests(record.images), digests(lock.images)).map((change) => withBytes(change, bytes.get(change.name)))
    : [];
  const breaking = parameters
    .filter(({ change, after }) => change === "removed" || after === "required")
    .map(({ name, change }) => `${name} (${change === "removed" ? "removed" : "now required"})`);
  const packedBefore = record?.files.find((file) => file.name === "definition.zip")?.sha256;
  return {
    since,
    ...(released === undefined && { isSinceUnreleased: true }),
    parameters,
    images,
    ...(!record && { areImagesUnknown: true }),
    files: packedBefore === packed.sha256 ? [] : ["definition.zip"],
    ...(breaking.length > 0 && { breaking: `callers of ${since} would break: ${breaking.join(", ")}; a new major version says so` }),
  };
}

const withBytes = (change: Change, bytesBefore: number | undefined): Differences["images"][number] => ({
  ...change,
  ...(bytesBefore !== undefined && { bytesBefore }),
});

function changes(before: Readonly<Record<string, string>>, after: Readonly<Record<string, string>>): readonly Change[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return names.flatMap((name): Change[] => {
    const [was, is] = [before[name], after[name]];
    if (was === is) return [];
    if (was === undefined) return [{ name, change: "added", ...(is !== undefined && { after: is }) }];
    if (is === undefined) return [{ name, change: "removed", before: was }];
    return [{ name, change: "changed", before: was, after: is }];
  });
}
