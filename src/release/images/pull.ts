import { CreateRepositoryCommand, type ECRClient, GetAuthorizationTokenCommand } from "@aws-sdk/client-ecr";
import type { Clock } from "../../kit/clock.ts";
import { parseImageRef } from "../../kit/image-ref.ts";
import { copyImages } from "../../oci/copy.ts";
import { ecrCredentials } from "../../oci/client/credentials.ts";
import { registryClient, type RegistryClient } from "../../oci/client/registry-client.ts";
import { transportFor } from "../../oci/client/transport.ts";
import { CREATED_BY } from "../names.ts";
import type { Place } from "../project/deploy-config.ts";
import type { ImagePull } from "./plan.ts";
import { ensureRepositoryPolicy, stagingStatements } from "./repository-policy.ts";
import type { ImageOutcome } from "./staging.ts";

/** Where images are brought to and read from. */
export interface ImageWorkshop {
  readonly ecr: ECRClient;
  readonly place: Place;
  readonly clock: Clock;
  /** Registries that are read somewhere else. */
  readonly upstreams: Readonly<Record<string, string>>;
  /** Where private ECR answers, when not at its own hosts. */
  readonly endpoint?: string;
  /** When to stop and answer CONTINUE. */
  readonly deadline?: Date;
}

/** A client for upstream registries and the account's own. */
export function workshopClient({ ecr, upstreams, endpoint, clock }: ImageWorkshop): RegistryClient {
  return registryClient({
    transport: transportFor({ upstreams, ...(endpoint && { ecrEndpoint: endpoint }) }),
    credentials: ecrCredentials(async () => (await ecr.send(new GetAuthorizationTokenCommand({}))).authorizationData?.[0]?.authorizationToken ?? ""),
    clock,
  });
}

/**
 * Brings one image into the account's ECR, and leaves its repository readable for HealthOmics.
 * An image that cannot be brought is FAILED with a reason, not an error: the others go on.
 */
export async function pullImage(workshop: ImageWorkshop, item: ImagePull): Promise<ImageOutcome> {
  const { source_uri, source, target_image } = item;
  const target = parseImageRef(target_image);
  await ensureRepository(workshop.ecr, target.repository);
  await using client = workshopClient(workshop);
  const overtime = workshop.deadline && new AbortController();
  const timer = overtime && workshop.clock.sleep(Math.max(0, (workshop.deadline?.getTime() ?? 0) - workshop.clock.now().getTime()), overtime.signal).then(() => overtime.abort(new Error("out of time")), () => undefined);
  const [copied] = await copyImages([{ source: parseImageRef(source), target }], {
    sourceClient: client, targetClient: client, clock: workshop.clock, ...(overtime && { signal: overtime.signal }),
  });
  const isLate = overtime?.signal.aborted ?? false;
  overtime?.abort(new Error("done"));
  await timer;
  if (!copied) throw new Error(`${source} was not copied`);
  if (isLate && copied.status === "FAILED") return { ...item, status: "CONTINUE", reason: "the next invocation goes on with what is missing" };
  if (copied.status !== "FAILED") await ensureRepositoryPolicy(workshop.ecr, target.repository, stagingStatements(workshop.place));
  const { status, digest, bytesMoved, bytesSaved, seconds, reason } = copied;
  return {
    source_uri, target_image, status: status === "PULLED" ? "SUCCEEDED" : status, ...(digest && { digest }), bytes_moved: bytesMoved, bytes_saved: bytesSaved, seconds, reason,
  };
}

/** Makes the repository, tagged as ours. Another image of the same repository may have made it just now. */
export async function ensureRepository(ecr: ECRClient, repositoryName: string): Promise<void> {
  await ecr
    .send(new CreateRepositoryCommand({ repositoryName, tags: [{ Key: CREATED_BY.key, Value: CREATED_BY.value }], imageScanningConfiguration: { scanOnPush: true } }))
    .catch((error: Error) => {
      if (error.name !== "RepositoryAlreadyExistsException") throw error;
    });
}
