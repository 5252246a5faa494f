import { parseAccountId } from "../../kit/account-id.ts";
import type { ImageRef } from "../../kit/image-ref.ts";
import { privateEcrHost, privateEcrOf } from "../../kit/image-ref-ecr.ts";
import type { Place } from "../project/deploy-config.ts";

/** The ECR of a place: what image names there start with. */
export const registryOf = ({ account, region }: Place) => ({ account: parseAccountId(account), region });

/** An image's name in a place's ECR: the registry is replaced, nothing is pinned yet. What is in no private ECR keeps its own. */
export function inRegistryOf(place: Place, ref: ImageRef): ImageRef {
  const { digest: _digest, tag: _tag, ...named } = ref;
  return privateEcrOf(ref) ? { ...named, registry: privateEcrHost(registryOf(place)) } : named;
}
