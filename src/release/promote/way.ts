import type { Place } from "../project/deploy-config.ts";
import type { ReleaseRecord } from "./bundle.ts";

/**
 * How a production place comes to a release's images. HealthOmics reads images of its own region alone (guide, "Amazon
 * ECR permissions"), so that a place elsewhere has copies whatever the workflow asks for.
 */
export const wayInto = (
  { region }: Pick<Place, "region">,
  { promote, cicd }: Pick<ReleaseRecord, "promote"> & { readonly cicd: Pick<Place, "region"> },
): ReleaseRecord["promote"] => (region === cicd.region ? promote : "copy");
