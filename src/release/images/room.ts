import { InvalidInput } from "./invalid-input.ts";
import type { ImageOutcome } from "./staging.ts";
import { RESULT_BYTES } from "./results.ts";
import { RESULTS_BYTES } from "./state-machines.ts";

// A few results may be longer than their part. What is too long for Step Functions ends the execution, and no state catches it:
// the results of all images would be lost.
const CARRIED_BYTES = 260_000;

/** Status, digest, sizes, seconds and a short reason of a result, with the names of its members. */
const MEMBERS_BYTES = 250;

type Named = Pick<ImageOutcome, "source_uri" | "target_image">;

/** @throws InvalidInput for more images than Step Functions can tell the results of */
export function checkRoom(images: readonly Named[]): void {
  const part = RESULTS_BYTES / images.length;
  const bytes = images.reduce(
    (sum, { source_uri, target_image }) =>
      sum + Math.max(part, Buffer.byteLength(source_uri + target_image) + MEMBERS_BYTES) + RESULT_BYTES,
    0,
  );
  if (bytes <= CARRIED_BYTES) return;
  throw new InvalidInput(
    `the manifest has ${images.length} images, and Step Functions carries the results of about ${Math.floor((images.length * RESULTS_BYTES) / bytes)} of them: start an execution for each part of it`,
  );
}

/** Results that Step Functions can carry: reasons are cut where all of them are too long together. */
export function fitReasons<Image extends object>(images: readonly Image[]): readonly Image[] {
  if (bytesOf(images) <= RESULTS_BYTES) return images;
  const part = Math.floor(RESULTS_BYTES / images.length);
  return images.map((image) => {
    const { reason } = image as { readonly reason?: string };
    if (reason === undefined) return image;
    const over = bytesOf(image) + 1 - part;
    return over <= 0 ? image : { ...image, reason: reason.slice(0, Math.max(0, reason.length - over)) };
  });
}

const bytesOf = (value: object): number => Buffer.byteLength(JSON.stringify(value));
