import type { S3Client } from "@aws-sdk/client-s3";
import { isMissing, readObject } from "../../aws/objects.ts";
import { isPassing } from "../../aws/passing.ts";
import type { ReleaseEnvironment } from "../environment.ts";
import { releasesBucket } from "../names.ts";
import type { Place } from "../project/deploy-config.ts";
import { bundlePrefix, type ReleaseRecord } from "./bundle.ts";
import { RESULT_FILE, type ReleaseResult } from "./result.ts";

const RESULT_TIMEOUT_MS = 90 * 60_000;

/** Which hand-over is waited for. */
type HandedOver = Pick<ReleaseRecord, "workflow" | "version" | "handedOverAt">;

/**
 * Waits for what production writes beside the bundle. While S3 can't be reached, or answers that it can't answer now, the
 * release goes on over there, and so does the wait.
 * @param s3 for the place's region
 * @throws the SDK's error for what does not pass: AccessDenied
 */
export async function awaitResult(
  { s3, clock, emit }: Pick<ReleaseEnvironment, "clock" | "emit"> & { readonly s3: S3Client },
  record: HandedOver,
  place: Place,
): Promise<ReleaseResult> {
  const at = { bucket: releasesBucket(place.account, place.region), key: `${bundlePrefix(record)}/${RESULT_FILE}` };
  const deadline = clock.now().getTime() + RESULT_TIMEOUT_MS;
  for (let wait = 250; clock.now().getTime() < deadline; wait = Math.min(wait * 1.3, 10_000)) {
    const result = await readObject(s3, at).then(
      (body) => JSON.parse(body.toString("utf8")) as ReleaseResult,
      (error: Error) => {
        if (!isMissing(error) && !isPassing(error)) throw error;
        if (!isMissing(error)) emit({ type: "note", text: `still waiting: ${error.message}` });
        return undefined;
      },
    );
    if (result && answers(result, record)) return result;
    await clock.sleep(wait);
  }
  return {
    ...place,
    status: "FAILED",
    handedOverAt: record.handedOverAt,
    message: `production wrote no ${RESULT_FILE} within ${RESULT_TIMEOUT_MS / 60_000} minutes`,
  };
}

/** A result of an earlier attempt is not an answer to this one. Of a bundle that can't be read nobody knows which it was. */
const answers = ({ handedOverAt, at = "" }: ReleaseResult, record: HandedOver): boolean =>
  handedOverAt === record.handedOverAt || (handedOverAt === "" && at > record.handedOverAt);
