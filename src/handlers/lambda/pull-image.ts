import type { Context } from "aws-lambda";
import { pullImage, type PullItem, pullTogether } from "../../release/images/pull/pull.ts";
import { fitReasons } from "../../release/images/room.ts";
import type { ImageOutcome } from "../../release/images/staging.ts";
import { environmentSettings } from "../settings.ts";
import { ALONE_TUNING, deadlineOf, FUNCTION_TUNING, workshopOf } from "../workshop.ts";

const settings = environmentSettings();

type Planned = { readonly images: readonly (PullItem | ImageOutcome)[] };

/**
 * Second step of `omx-container-puller`: brings all images in together, as far as it gets. Then, for each that is left:
 * brings one in, or says that a build has to.
 */
export const handler = async (event: Planned | PullItem, context: Context) => {
  // A workshop for each call: a secret that was corrected counts at once.
  const workshop = {
    ...workshopOf(settings, "images" in event ? ALONE_TUNING : FUNCTION_TUNING),
    limitBytes: settings.deployment.containers.functionLimitGiB * 1024 ** 3,
    pullThrough: settings.deployment.containers.pullThrough,
    deadline: deadlineOf(context),
  };
  return "images" in event ? { images: fitReasons(await pullTogether(workshop, event.images)) } : pullImage(workshop, event);
};
