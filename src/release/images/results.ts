import { z } from "zod";
import type { ImageOutcome } from "./staging.ts";

const Result = z.looseObject({
  image: z.object({ source_uri: z.string(), target_image: z.string() }),
  statusMessage: z.string().optional(),
  build: z.object({ id: z.string(), logs: z.object({ logstream: z.string(), deeplink: z.string().optional() }).optional() }).optional(),
});

/**
 * What `omx-container-puller` and `omx-container-builder` tell of one image, in JSONata, of the variable `$image`: the ECR helper's
 * record (`image`, `status`, `statusMessage`, `build.id`, `build.logs`), and beside these members what it lacked (digest, size,
 * bytes, seconds). {@link outcomesIn} reads it.
 * @see https://github.com/aws-samples/amazon-ecr-helper-for-aws-healthomics (lib/sfn/build-tasks.ts, "Image Exists" in lib/container-puller-stack.ts)
 */
export const RESULT = `$merge([
    {'image': {'source_uri': $image.source_uri, 'target_image': $image.target_image}, 'status': $image.status, 'statusMessage': $image.reason},
    $exists($image.build) ? {'build': $merge([{'id': $image.build}, $exists($image.log) ? {'logs': {'logstream': $image.log, 'deeplink': $image.log_link}}])},
    $sift($image, function($value, $member) { $not($member in ['source_uri', 'target_image', 'status', 'reason', 'build', 'log', 'log_link', 'cause', 'exported', 'started']) })
  ])`;

/** As executions told it that were started before the records were the helper's: a release that is tried again finds its execution. */
const Earlier = z.looseObject({ source_uri: z.string(), target_image: z.string() });

/** How many bytes a result is longer than the outcome that it tells, in JSON. */
export const RESULT_BYTES = 20;

/**
 * The outcomes that an execution tells of: the output of one that succeeded, the cause of one that failed because of images, or
 * the output of its state that had them all.
 * @returns undefined where the text is none of them
 */
export function outcomesIn(text: string): readonly ImageOutcome[] | undefined {
  const told = parsed(text) as { readonly images?: unknown } | undefined;
  const results = z.array(z.union([Result, Earlier])).safeParse(told?.images ?? told);
  if (!results.success) return undefined;
  return results.data.map(
    (result) => ("image" in result ? outcomeOf(result as z.infer<typeof Result>) : result) as unknown as ImageOutcome,
  );
}

const outcomeOf = ({ image, statusMessage, build, ...rest }: z.infer<typeof Result>): object => ({
  ...image,
  ...rest,
  ...(statusMessage !== undefined && { reason: statusMessage }),
  ...(build && {
    build: build.id,
    ...(build.logs && { log: build.logs.logstream, ...(build.logs.deeplink !== undefined && { log_link: build.logs.deeplink }) }),
  }),
});

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
