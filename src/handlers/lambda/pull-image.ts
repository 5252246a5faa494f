import type { Context } from "aws-lambda";
import { systemClock } from "../../kit/clock.ts";
import type { ImagePull } from "../../release/images/plan.ts";
import { pullImage } from "../../release/images/pull.ts";
import { environmentSettings } from "../settings.ts";

const { clients, deployment, upstreams, target } = environmentSettings();
/** Time to end an upload and answer before the function's own limit. */
const MARGIN_MS = 20_000;

/** Second step of `omx-container-puller`: brings one image in. */
export const handler = (event: ImagePull, context: Context) =>
  pullImage({
    ecr: clients.ecr, place: deployment.cicd, clock: systemClock, upstreams, ...(target.endpoint && { endpoint: target.endpoint }),
    deadline: new Date(systemClock.now().getTime() + context.getRemainingTimeInMillis() - MARGIN_MS),
  }, event);
