import type { Context } from "aws-lambda";
import { systemClock } from "../../kit/clock.ts";
import type { ImagePull } from "../../release/images/plan.ts";
import { pullImage } from "../../release/images/pull.ts";
import type { AfterBuild } from "../../release/images/staging.ts";
import { environmentSettings } from "../settings.ts";
import { FUNCTION_TUNING, workshopOf } from "../workshop.ts";

const settings = environmentSettings();
const workshop = workshopOf(settings, FUNCTION_TUNING);
/** Time to end an upload and answer before the function's own limit. */
const MARGIN_MS = 20_000;

/** Second step of `omx-container-puller`: brings one image in, or says that a build has to. */
export const handler = (event: ImagePull & AfterBuild, context: Context) =>
  pullImage({
    ...workshop, limitBytes: settings.deployment.containers.functionLimitGiB * 1024 ** 3, pullThrough: settings.deployment.containers.pullThrough,
    deadline: new Date(systemClock.now().getTime() + context.getRemainingTimeInMillis() - MARGIN_MS),
  }, event);
