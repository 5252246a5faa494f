import type { ECRClient } from "@aws-sdk/client-ecr";
import { digestOf } from "../../oci/digest.ts";
import type { RegistryClient } from "../../oci/client/registry-client.ts";
import { RegistryError } from "../../oci/errors.ts";
import { SOURCE_TAG } from "../names.ts";
import { isOurs, tagsOfRepository } from "./repository.ts";

/**
 * A client that moves no tag from one source to another: `us.gcr.io/p/tool:1` and `eu.gcr.io/p/tool:1` have one place
 * in ECR, and who staged one some day must not find the other there. Tags that are new cost one request more.
 * @param sourceOf which registry and repository the images of a repository come from now
 */
export function keepingTags(client: RegistryClient, ecr: ECRClient, sourceOf: (repository: string) => string | undefined): RegistryClient {
  return {
    ...client,
    repository(at, context) {
      const repository = client.repository(at, context);
      return {
        ...repository,
        async putManifest(reference, manifest) {
          const source = sourceOf(at.repository);
          const isTag = !reference.includes(":");
          const present = isTag && source !== undefined ? await repository.headManifest(reference) : undefined;
          if (present && source !== undefined && present.digest !== digestOf(manifest.bytes)) await check(ecr, { registry: at.registry, repository: at.repository, tag: reference, source });
          return repository.putManifest(reference, manifest);
        },
      };
    },
  };
}

interface Move {
  readonly registry: string;
  readonly repository: string;
  readonly tag: string;
  readonly source: string;
}

async function check(ecr: ECRClient, { registry, repository, tag, source }: Move): Promise<void> {
  const tags = await tagsOfRepository(ecr, repository);
  const before = tags[SOURCE_TAG];
  if (!isOurs(tags) || before === undefined || before === source) return;
  const [host = ""] = source.split("/");
  throw new RegistryError({
    kind: "refused", registry, doing: `store ${repository}:${tag}`,
    says: `it holds another image, of ${before}, and this one is of ${source}; give ${host} a namespace of its own with containers.namespaces in omx.deploy.yaml, or bring one of them in under another tag`,
  });
}
