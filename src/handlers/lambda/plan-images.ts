import { planEachBuild, planEachPull } from "../../release/images/manifest.ts";
import { environmentSettings } from "../settings.ts";

const { deployment } = environmentSettings();

/**
 * First step of `omx-container-puller` and `omx-container-builder`: reads the manifest, names a target for each image.
 * Names are those of images to pull, objects are builds.
 */
export const handler = (event: { readonly manifest: readonly unknown[]; readonly referrers?: boolean }) => {
  const { manifest, referrers = false } = event;
  if (!Array.isArray(manifest)) throw new TypeError('the input is not {"manifest": [ … ]}');
  const names = manifest.filter((item) => typeof item === "string");
  if (names.length > 0 && names.length < manifest.length) throw new TypeError("a manifest names images to pull or holds images to build, not both");
  const images = names.length > 0 ? planEachPull(names, deployment.cicd, deployment.containers.namespaces).map((item) => ({ ...item, ...(referrers && { referrers }) })) : planEachBuild(manifest, deployment.cicd);
  return Promise.resolve({ images });
};
