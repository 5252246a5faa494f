import { BatchGetBuildsCommand, type Build } from "@aws-sdk/client-codebuild";
import { isMissing, readObject } from "../../aws/objects.ts";
import { parseS3Uri, type S3Uri } from "../../kit/s3-uri.ts";
import type { ProductionEnvironment } from "./production-environment.ts";
import { BUNDLE_VARIABLE, HANDED_OVER_VARIABLE, RESULT_FILE, type ReleaseResult, writeResult } from "./result.ts";

/**
 * Answers for a build that was to release a bundle and ended without a word: it was stopped, lost its machine, or never came
 * so far. The cicd account waits for an answer, and has no right to look at builds here.
 * @returns what was written; undefined where the build answered itself, or a later hand-over has another build
 */
export async function answerForBuild(
  { clients, place, clock, emit }: ProductionEnvironment,
  buildId: string,
): Promise<ReleaseResult | undefined> {
  const { builds: [build] = [] } = await clients.codebuild.send(new BatchGetBuildsCommand({ ids: [buildId] }));
  const [bundle, handedOverAt] = [variableOf(build, BUNDLE_VARIABLE), variableOf(build, HANDED_OVER_VARIABLE)];
  if (!build || bundle === undefined || handedOverAt === undefined) return undefined;
  const { bucket, key: prefix } = parseS3Uri(bundle);
  const there = await resultAt(clients.s3, { bucket, key: `${prefix}/${RESULT_FILE}` });
  // ISO times of one clock: later ones sort behind.
  if (there !== undefined && (there.handedOverAt >= handedOverAt || there.handedOverAt === "")) return undefined;
  const { logs, buildStatus = "FAILED" } = build;
  const message = `the build ${buildId} of account ${place.account} ended ${buildStatus} and wrote no ${RESULT_FILE}: see its log ${logs?.groupName ?? ""}:${logs?.streamName ?? ""} there`;
  const at = clock.now().toISOString();
  const result = await writeResult(clients.s3, { bucket, prefix }, { ...place, status: "FAILED", handedOverAt, message, at });
  emit({ type: "note", text: `${bundle}: ${message}` });
  return result;
}

const variableOf = (build: Build | undefined, wanted: string): string | undefined =>
  build?.environment?.environmentVariables?.find(({ name }) => name === wanted)?.value;

async function resultAt(s3: ProductionEnvironment["clients"]["s3"], at: S3Uri): Promise<Pick<ReleaseResult, "handedOverAt"> | undefined> {
  try {
    return JSON.parse((await readObject(s3, at)).toString("utf8")) as ReleaseResult;
  } catch (error) {
    if (isMissing(error as Error)) return undefined;
    throw error;
  }
}
