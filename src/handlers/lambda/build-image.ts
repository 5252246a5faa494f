import { systemClock } from "../../kit/clock.ts";
import { buildImageFromSource } from "../../release/images/build.ts";
import type { BuildItem, ImageOutcome } from "../../release/images/staging.ts";
import { environmentSettings } from "../settings.ts";

const { clients, deployment, upstreams, target } = environmentSettings();

/** The step of `omx-container-builder`: assembles one image, or says that its Dockerfile needs an engine. */
export const handler = (event: BuildItem & Partial<ImageOutcome>) =>
  buildImageFromSource({ ecr: clients.ecr, s3: clients.s3, place: deployment.cicd, clock: systemClock, upstreams, ...(target.endpoint && { endpoint: target.endpoint }) }, event);
