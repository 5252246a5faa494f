import type { Context } from "aws-lambda";
import { systemClock } from "../../kit/clock.ts";
import { pullImage, type PullItem, pullTogether } from "../../release/images/pull.ts";
import { fitReasons } from "../../release/images/room.ts";
import type { ImageOutcome } from "../../release/images/staging.ts";
import { environmentSettings } from "../settings.ts";
import { ALONE_TUNING, FUNCTION_TUNING, workshopOf } from "../workshop.ts";

const settings = environmentSettings();
/** Time to end an upload and answer before the function's own limit. */
const MARGIN_MS = 20_000;

type Planned = { readonly images: readonly (PullItem | ImageOutcome)[] };

/**
 * Second step of `omx-container-puller`: brings all images in together, as far as it gets. Then, for each that is left:
 * brings one in, or says that a build has to.
 */
export const handler = async (event: Planned | PullItem, context: Context) => {
  // A workshop for each call: a secret that was corrected counts at once.
  const workshop = {
    ...workshopOf(settings, "images" in event ? ALONE_TUNING : FUNCTION_TUNING), limitBytes: settings.deployment.containers.functionLimitGiB * 1024 ** 3, pullThrough: settings.deployment.containers.pullThrough,
    deadline: new Date(systemClock.now().getTime() + context.getRemainingTimeInMillis() - MARGIN_MS),
  };
  return "images" in event ? { images: fitReasons(await pullTogether(workshop, event.images)) } : pullImage(workshop, event);
};
