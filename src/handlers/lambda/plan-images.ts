import { planPulls } from "../../release/images/plan.ts";
import { environmentSettings } from "../settings.ts";

const settings = environmentSettings();

/** First step of `omx-container-puller`: names a target for each image of the manifest. */
export const handler = (event: { readonly manifest: readonly string[] }) => {
  if (!Array.isArray(event.manifest)) throw new TypeError('the input is not {"manifest": ["registry/image:tag", …]}');
  return Promise.resolve({ images: planPulls(event.manifest, settings.deployment.cicd) });
};
