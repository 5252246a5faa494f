import { buildImageFromSource } from "../../release/images/build.ts";
import type { AfterBuild, BuildItem } from "../../release/images/staging.ts";
import { environmentSettings } from "../settings.ts";
import { FUNCTION_TUNING, workshopOf } from "../workshop.ts";

const settings = environmentSettings();

/** The step of `omx-container-builder`: assembles one image, or says that its Dockerfile needs an engine. */
export const handler = (event: BuildItem & AfterBuild) =>
  // A workshop for each call: a secret that was corrected counts at once.
  buildImageFromSource(workshopOf(settings, FUNCTION_TUNING), event);
