import { type Planned, planEachBuild, planEachPull, readInput } from "../../release/images/manifest.ts";
import type { ImagePull } from "../../release/images/plan.ts";
import { checkRoom, fitReasons } from "../../release/images/room.ts";
import type { BuildItem } from "../../release/images/staging.ts";
import { environmentSettings } from "../settings.ts";

const { cicd, containers } = environmentSettings().deployment;

/**
 * First step of `omx-container-puller` and `omx-container-builder`: reads the execution's input, names a target for each image.
 * @throws InvalidInput for what has no manifest, or more images than an execution can tell of
 */
export const handler = ({ kind, input }: { readonly kind: "pull" | "build"; readonly input: unknown }) => {
  const { manifest, referrers } = readInput(input, kind);
  const images: readonly Planned<ImagePull | BuildItem>[] =
    kind === "build"
      ? planEachBuild(manifest, cicd)
      : planEachPull(manifest, cicd, containers.namespaces).map((item) => ({ ...item, ...(referrers && { referrers }) }));
  checkRoom(images);
  return Promise.resolve({ images: fitReasons(images) });
};
