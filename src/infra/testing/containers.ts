import { ECRClient, GetAuthorizationTokenCommand, GetRepositoryPolicyCommand } from "@aws-sdk/client-ecr";
import { SFNClient } from "@aws-sdk/client-sfn";
import { runExecution } from "../../aws/executions.ts";
import { parseAccountId } from "../../kit/account-id.ts";
import { systemClock } from "../../kit/clock.ts";
import { CICD, PRODUCTION, REGION, startAccounts, type TestAccounts } from "../../local/testing/accounts.ts";
import { ecrCredentials } from "../../oci/client/credentials.ts";
import { registryClient, type RegistryClient } from "../../oci/client/registry-client.ts";
import { transportFor } from "../../oci/client/transport.ts";
import { outcomesIn } from "../../release/images/results.ts";
import type { ImageOutcome } from "../../release/images/staging.ts";
import { deployContainers } from "./deployed.ts";

export const LAB = parseAccountId("777788889999");
/** The registry that images are staged into. */
export const HOME = `${CICD}.dkr.ecr.${REGION}.amazonaws.com`;
export const PATIENCE_MS = 300_000;

/** How an execution of a container machine ended. */
export interface Ended {
  readonly status: string;
  readonly error: string;
  readonly cause: string;
  readonly output: string;
  readonly images: readonly ImageOutcome[];
}

/** Local accounts with the container stacks. */
export interface ContainerAccounts extends AsyncDisposable {
  readonly accounts: TestAccounts;
  readonly ecr: ECRClient;
  run(machine: "puller" | "builder", manifest: readonly unknown[], more?: { readonly referrers?: boolean }): Promise<Ended>;
  /** A repository's policy; undefined where there is none. */
  policyOf(
    repositoryName: string,
  ): Promise<{ readonly Statement: readonly { readonly Sid: string; readonly Condition?: unknown }[] } | undefined>;
  /** The registry of any account as its administrator. */
  registryOf(profile: string, region?: string): { readonly client: RegistryClient; readonly ecr: ECRClient };
}

/**
 * Starts three accounts and deploys the container stacks to the first.
 * @param containers of omx.deploy.yaml
 * @param before what the accounts have before anything is deployed
 */
export async function startContainers(
  containers: object,
  upstreams: Readonly<Record<string, string>> = {},
  before: (accounts: TestAccounts) => Promise<unknown> = async () => undefined,
): Promise<ContainerAccounts> {
  const accounts = await startAccounts({
    upstreams,
    accounts: [
      { id: CICD, name: "cicd" },
      { id: PRODUCTION, name: "production" },
      { id: LAB, name: "lab" },
    ],
  });
  await before(accounts);
  await deployContainers(accounts, { containers });
  const ecr = new ECRClient(accounts.config());
  return {
    accounts,
    ecr,
    async run(machine, manifest, more = {}) {
      const request = {
        arn: `arn:aws:states:${REGION}:${CICD}:stateMachine:omx-container-${machine}`,
        name: crypto.randomUUID(),
        input: JSON.stringify({ manifest, ...more }),
        clock: systemClock,
      };
      const { status, error, cause, output } = await runExecution(new SFNClient(accounts.config()), request);
      return { status, error, cause, output, images: outcomesIn(status === "SUCCEEDED" ? output : cause) ?? [] };
    },
    policyOf: (repositoryName) =>
      ecr.send(new GetRepositoryPolicyCommand({ repositoryName })).then(
        ({ policyText = "" }) => JSON.parse(policyText),
        () => undefined,
      ),
    registryOf(profile, region = REGION) {
      const identity = accounts.accounts.core.directory.identities().find((one) => one.profile === profile)!;
      const own = new ECRClient({
        ...accounts.config(),
        region,
        credentials: { accessKeyId: identity.accessKeyId, secretAccessKey: identity.secretAccessKey },
      });
      const token = async () => (await own.send(new GetAuthorizationTokenCommand({}))).authorizationData![0]!.authorizationToken!;
      return {
        ecr: own,
        client: registryClient({ transport: transportFor({ ecrEndpoint: accounts.url }), credentials: ecrCredentials(token) }),
      };
    },
    [Symbol.asyncDispose]: () => accounts[Symbol.asyncDispose](),
  };
}
