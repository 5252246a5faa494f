import { type ECRClient, GetAuthorizationTokenCommand } from "@aws-sdk/client-ecr";
import type { Clock } from "../../kit/clock.ts";
import { type CredentialProvider, ecrCredentials, firstOf } from "../../oci/client/credentials.ts";
import { NO_REASON } from "../../oci/errors.ts";
import type { Advice } from "../../oci/client/exchange.ts";
import { registryClient, type RegistryClient, type RegistryClientOptions } from "../../oci/client/registry-client.ts";
import { transportFor } from "../../oci/client/transport.ts";
import type { ProxySettings } from "../../kit/proxy.ts";
import { type PrivateEcr, readPrivateEcrHost } from "../../kit/image-ref-ecr.ts";
import type { Place } from "../project/deploy-config.ts";
import type { RepositorySettings } from "./repositories/repository-settings.ts";
import { waitTeller } from "./waits.ts";
import { rememberingManifests } from "./pull/preview.ts";

/** Where images are brought to and read from. */
export interface ImageWorkshop {
  readonly ecr: ECRClient;
  readonly place: Place;
  readonly clock: Clock;
  /** How repositories are made. @default DEFAULT_REPOSITORIES */
  readonly repositories?: RepositorySettings | undefined;
  /** Registries that are read somewhere else. */
  readonly upstreams: Readonly<Record<string, string>>;
  /** Where private ECR answers, when not at its own hosts. */
  readonly endpoint?: string;
  /** ECR of another region; a token is good in its own region. @default - `ecr`, for all */
  readonly ecrIn?: (region: string) => ECRClient;
  /** Of upstream registries. @default - none */
  readonly credentials?: CredentialProvider;
  /** How a user gives credentials for an upstream registry, an imperative for errors. */
  readonly howToLogIn?: (registry: string) => string;
  /** What to do where the ECR of another account or region refuses access. @default - what lets the puller read there */
  readonly foreignAdvice?: (ecr: PrivateEcr) => string | undefined;
  /** Lines for who watches: each longer wait for a registry as it begins. */
  readonly say?: (line: string) => void;
  /** How the network lets its users out, to registries. @default - directly */
  readonly proxy?: ProxySettings | undefined;
  /** Ends what is asked of registries. @default - nothing does */
  readonly signal?: AbortSignal;
  /** How hard registries are asked, for the machine this runs on. */
  readonly tuning?: Pick<RegistryClientOptions, "rangesPerBlob" | "manifestPutsPerSecond">;
}

/** A client for upstream registries and the account's own. */
export function workshopClient(workshop: ImageWorkshop): RegistryClient {
  const {
    ecr,
    place,
    ecrIn,
    upstreams,
    endpoint,
    clock,
    credentials,
    howToLogIn,
    foreignAdvice = forPuller(place),
    say,
    proxy,
    tuning,
    signal,
  } = workshop;
  const ofEcr = ecrCredentials(async ({ region }) => {
    const asked = region === place.region ? ecr : (ecrIn?.(region) ?? ecr);
    return (await asked.send(new GetAuthorizationTokenCommand({}))).authorizationData?.[0]?.authorizationToken ?? "";
  });
  const client = rememberingManifests(
    registryClient({
      transport: transportFor({ upstreams, ...(endpoint && { ecrEndpoint: endpoint }) }),
      credentials: credentials ? firstOf(ofEcr, credentials) : ofEcr,
      clock,
      ...(say && { onWait: waitTeller({ say, clock }) }),
      ...(proxy && { proxy }),
      ...tuning,
      advice: adviceOn(workshop.upstreams, foreignAdvice, howToLogIn),
    }),
  );
  return signal ? { ...client, repository: (at, context) => client.repository(at, { signal, ...context }) } : client;
}

const NOT_THERE = "registries say the same of an image that is not there: check its name";

/**
 * What to do where a registry refuses access, is asked too often or can't be reached. ECR names the action and the policy itself; who has
 * to change what it can't know.
 */
const adviceOn =
  (
    upstreams: ImageWorkshop["upstreams"],
    foreignAdvice: NonNullable<ImageWorkshop["foreignAdvice"]>,
    howToLogIn: ImageWorkshop["howToLogIn"],
  ): Advice =>
  ({ kind, registry, says, code = "" }, { withCredentials }) => {
    if (kind === "unreachable" || kind === "unavailable")
      return outOfReach({ registry, code, isMoved: Object.hasOwn(upstreams, registry) });
    const ecr = readPrivateEcrHost(registry);
    if (kind === "refused" && /tag is immutable/.test(says))
      return "give the image another tag: in this repository each stays with its first image";
    if (ecr)
      return kind === "denied"
        ? [says === NO_REASON ? LAYER_RIGHTS : [], foreignAdvice(ecr) ?? []].flat().join("; ") || undefined
        : undefined;
    const logIn = howToLogIn?.(registry);
    if (kind === "throttled")
      return withCredentials || logIn === undefined ? undefined : `it was asked without credentials, and may allow more with: ${logIn}`;
    if (kind !== "denied") return undefined;
    return [
      withCredentials
        ? `the credentials given for it do not allow that, or ${NOT_THERE}`
        : `it was asked without credentials; ${NOT_THERE}`,
      ...(logIn === undefined ? [] : [logIn]),
    ].join(", or ");
  };

/** ECR answers a HEAD of a layer without a word. */
const LAYER_RIGHTS = "who looks for a layer there needs ecr:BatchCheckLayerAvailability and ecr:GetDownloadUrlForLayer";

/** By Node's and OpenSSL's codes. */
function outOfReach({
  registry,
  code,
  isMoved,
}: {
  readonly registry: string;
  readonly code: string;
  readonly isMoved: boolean;
}): string | undefined {
  if (code === "ENOTFOUND")
    return `nobody knows a host of that name: check ${isMoved ? "its address in --upstream, or in containers.upstreams of omx.deploy.yaml" : "the registry in the image's name"}, and the network`;
  if (code === "UND_ERR_ABORTED")
    return "see to it that the proxy of HTTPS_PROXY lets through to it, with the credentials in HTTPS_PROXY if it wants any (http://user:password@host:port), or name the registry in NO_PROXY";
  if (code === "UND_ERR_PRX_CONN")
    return "nothing at the address in HTTPS_PROXY answers as a proxy: check host, port, and whether it is https:// or http://";
  if (code.startsWith("ERR_SSL_"))
    return `where it is read without TLS, or elsewhere, say so: --upstream ${registry}=http://…, or containers.upstreams in omx.deploy.yaml`;
  return /CERT|SIGNATURE/.test(code) ? "its certificate is not trusted here: name the file of its CA in NODE_EXTRA_CA_CERTS" : undefined;
}

/** The puller reads what omx.deploy.yaml declares; the other account decides as well. */
const forPuller =
  (place: Place) =>
  ({ account, region }: PrivateEcr): string | undefined => {
    const declare = [
      ...(account === place.account ? [] : [`${account} in containers.sourceAccounts`]),
      ...(region === place.region ? [] : ["containers.crossRegion"]),
    ].join(" and ");
    if (declare === "") return undefined;
    return `the puller reads there with ${declare} of omx.deploy.yaml${account === place.account ? "" : `, and where the policy of that repository lets account ${place.account} read`}`;
  };
