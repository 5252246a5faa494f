import { planEachBuild, planEachPull, readInput } from "../../release/images/manifest.ts";
import { environmentSettings } from "../settings.ts";

const { cicd, containers } = environmentSettings().deployment;

/**
 * First step of `omx-container-puller` and `omx-container-builder`: reads the execution's input, names a target for each image.
 * @throws InvalidInput for what has no manifest
 */
export const handler = ({ kind, input }: { readonly kind: "pull" | "build"; readonly input: unknown }) => {
  const { manifest, referrers } = readInput(input, kind);
  const images = kind === "build" ? planEachBuild(manifest, cicd) : planEachPull(manifest, cicd, containers.namespaces).map((item) => ({ ...item, ...(referrers && { referrers }) }));
  return Promise.resolve({ images });
};
