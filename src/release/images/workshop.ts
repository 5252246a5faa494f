import { type ECRClient, GetAuthorizationTokenCommand } from "@aws-sdk/client-ecr";
import type { Clock } from "../../kit/clock.ts";
import { type CredentialProvider, ecrCredentials, firstOf } from "../../oci/client/credentials.ts";
import { registryClient, type RegistryClient, type RegistryClientOptions } from "../../oci/client/registry-client.ts";
import { transportFor } from "../../oci/client/transport.ts";
import type { Place } from "../project/deploy-config.ts";
import { rememberingManifests } from "./preview.ts";

/** Where images are brought to and read from. */
export interface ImageWorkshop {
  readonly ecr: ECRClient;
  readonly place: Place;
  readonly clock: Clock;
  /** Registries that are read somewhere else. */
  readonly upstreams: Readonly<Record<string, string>>;
  /** Where private ECR answers, when not at its own hosts. */
  readonly endpoint?: string;
  /** ECR of another region; a token is good in its own region. @default - `ecr`, for all */
  readonly ecrIn?: (region: string) => ECRClient;
  /** Of upstream registries. @default - none */
  readonly credentials?: CredentialProvider;
  /** How hard registries are asked, for the machine this runs on. */
  readonly tuning?: Pick<RegistryClientOptions, "rangesPerBlob" | "manifestPutsPerSecond">;
}

/** A client for upstream registries and the account's own. */
export function workshopClient({ ecr, place, ecrIn, upstreams, endpoint, clock, credentials, tuning }: ImageWorkshop): RegistryClient {
  const ofEcr = ecrCredentials(async ({ region }) => {
    const asked = region === place.region ? ecr : (ecrIn?.(region) ?? ecr);
    return (await asked.send(new GetAuthorizationTokenCommand({}))).authorizationData?.[0]?.authorizationToken ?? "";
  });
  return rememberingManifests(registryClient({
    transport: transportFor({ upstreams, ...(endpoint && { ecrEndpoint: endpoint }) }), credentials: credentials ? firstOf(ofEcr, credentials) : ofEcr, clock, ...tuning,
  }));
}
