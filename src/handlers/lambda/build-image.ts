import type { Context } from "aws-lambda";
import { buildImageFromSource } from "../../release/images/build/build-from-s3.ts";
import type { AfterBuild, BuildItem } from "../../release/images/staging.ts";
import { environmentSettings } from "../settings.ts";
import { deadlineOf, FUNCTION_TUNING, workshopOf } from "../workshop.ts";

const settings = environmentSettings();

/** The step of `omx-container-builder`: assembles one image, or says that a build has to. */
export const handler = (event: BuildItem & AfterBuild, context: Context) =>
  // A workshop for each call: a secret that was corrected counts at once.
  buildImageFromSource({ ...workshopOf(settings, FUNCTION_TUNING), deadline: deadlineOf(context) }, event);
