import { type CloudWatchLogsClient, GetLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { stripVTControlCharacters } from "node:util";
import { z } from "zod";
import { NAMES } from "../names.ts";
import { lastLines } from "./last-lines.ts";
import type { AfterBuild, ImageOutcome } from "./staging.ts";

/** The variable in which a build hands its result to the state machine: base64 of JSON, which no shell changes. */
export const RESULT_VARIABLE = "OMX_RESULT";

const Counted = z.object({
  status: z.enum(["SUCCEEDED", "SKIPPED"]),
  size: z.number().optional(),
  bytes_moved: z.number().optional(),
  bytes_saved: z.number().optional(),
  seconds: z.number().optional(),
  reason: z.string().optional(),
  source_hash: z.string().optional(),
  digest: z.string().optional(),
});

/** What a build prints for {@link exportedResult}. */
export const encodeResult = (result: object): string => Buffer.from(JSON.stringify(result)).toString("base64");

/** What the build says it did; the registry, not this, says what is there. Nothing where the build exported nothing. */
export function exportedResult(exported: AfterBuild["exported"] = []): Partial<ImageOutcome> & { readonly source_hash?: string } {
  const text = exported.find(({ Name }) => Name === RESULT_VARIABLE)?.Value;
  if (!text) return {};
  const { status, size, bytes_moved, bytes_saved, seconds, reason, source_hash, digest } = Counted.parse(
    JSON.parse(Buffer.from(text, "base64").toString("utf8")),
  );
  const counts = {
    ...(size !== undefined && { size }),
    ...(bytes_moved !== undefined && { bytes_moved }),
    ...(bytes_saved !== undefined && { bytes_saved }),
    ...(seconds !== undefined && { seconds }),
  };
  return { status, ...counts, ...(reason && { reason }), ...(source_hash && { source_hash, ...(digest && { digest }) }) };
}

const LONGEST_REASON = 4000;

const FailedBuild = z.object({
  Build: z.object({
    Id: z.string(),
    BuildStatus: z.string(),
    Logs: z.object({ GroupName: z.string().optional(), StreamName: z.string().optional(), DeepLink: z.string().optional() }).optional(),
  }),
});

/**
 * Why a build failed: its last lines. The cause that Step Functions gives is the build as JSON, or any other text
 * (a time-out, no permission, an account's limit).
 */
export async function failureOf(
  logs: CloudWatchLogsClient,
  cause = "",
): Promise<Pick<ImageOutcome, "reason" | "log" | "log_link" | "build">> {
  const build = readBuild(cause);
  if (!build) return { reason: cause.slice(0, LONGEST_REASON) || "the build failed, and nobody says why" };
  const { Id, BuildStatus, Logs: { GroupName, StreamName, DeepLink } = {} } = build;
  const isOver = BuildStatus === "TIMED_OUT" && Id.startsWith(`${NAMES.imageBuildProject}:`);
  const says = `the build ${Id} ended ${BuildStatus}${isOver ? ", after containers.buildHours of omx.deploy.yaml" : ""}`;
  if (!GroupName || !StreamName) return { reason: `${says}; it has no log`, build: Id };
  const log = `${GroupName}:${StreamName}`;
  const lines = await linesOf(logs, GroupName, StreamName).catch((error: Error) => [`(its log can't be read: ${error.message})`]);
  return { reason: `${says}:\n${lastLines(lines)}`, log, ...(DeepLink && { log_link: DeepLink }), build: Id };
}

/** CodeBuild's own lines tell of phases, not of what went wrong in one. */
const isCodeBuilds = (line: string): boolean => line.startsWith("[Container] ");

async function linesOf(logs: CloudWatchLogsClient, logGroupName: string, logStreamName: string): Promise<readonly string[]> {
  const { events = [] } = await logs.send(new GetLogEventsCommand({ logGroupName, logStreamName, startFromHead: false, limit: 200 }));
  const lines = events
    .flatMap(({ message = "" }) => stripVTControlCharacters(message).split(/[\r\n]+/))
    .filter((line) => line.trim() !== "");
  const said = lines.filter((line) => !isCodeBuilds(line));
  return said.length > 0 ? said : lines;
}

function readBuild(cause: string): z.infer<typeof FailedBuild>["Build"] | undefined {
  const json = cause.slice(Math.max(0, cause.indexOf("{")));
  try {
    return FailedBuild.parse(JSON.parse(json)).Build;
  } catch {
    return undefined;
  }
}
