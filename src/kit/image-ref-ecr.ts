import { parseAccountId } from "./account-id.ts";
import type { AccountId } from "./account-id.ts";
import type { ImageRef } from "./image-ref.ts";

/** The private ECR registry of one account in one region. */
export interface PrivateEcr {
  readonly account: AccountId;
  readonly region: string;
  /** The host's ending: `amazonaws.com`, `amazonaws.com.cn`, `on.aws`, … */
  readonly suffix: string;
  readonly isFips: boolean;
  readonly isDualStack: boolean;
}

/**
 * The hosts of private ECR in every partition, whole: a host that only begins like one must never be sent a token.
 * @see https://docs.aws.amazon.com/general/latest/gr/ecr.html
 * @see https://github.com/awslabs/amazon-ecr-credential-helper (isolated partitions)
 */
const CLASSIC =
  /^(\d{12})\.dkr\.ecr(-fips)?\.([a-z]{2,}(?:-[a-z0-9]+)+)\.(amazonaws\.com(?:\.cn)?|amazonaws\.eu|c2s\.ic\.gov|sc2s\.sgov\.gov|cloud\.adc-e\.uk|csp\.hci\.ic\.gov)$/;
const DUAL_STACK = /^(\d{12})\.dkr-ecr(-fips)?\.([a-z]{2,}(?:-[a-z0-9]+)+)\.(on\.aws|on\.amazonwebservices\.com\.cn)$/;

/** The private ECR registry behind a host, or undefined when the host is another registry. */
export function readPrivateEcrHost(host: string): PrivateEcr | undefined {
  const classic = CLASSIC.exec(host);
  const [, account, fips, region, suffix] = classic ?? DUAL_STACK.exec(host) ?? [];
  if (account === undefined || region === undefined || suffix === undefined) return undefined;
  return { account: parseAccountId(account), region, suffix, isFips: fips !== undefined, isDualStack: !classic };
}

/** The private ECR registry that holds the image, or undefined when another registry does. */
export const privateEcrOf = (ref: ImageRef): PrivateEcr | undefined => readPrivateEcrHost(ref.registry);

/** The canonical host of an account's ECR in a region: what templates, policies and registry maps carry. */
export function privateEcrHost({ account, region }: Pick<PrivateEcr, "account" | "region">): string {
  return `${account}.dkr.ecr.${region}.${suffixOf(region)}`;
}

/** The address of an image in an account's ECR. */
export function privateEcrImage(ecr: Pick<PrivateEcr, "account" | "region">, image: Omit<ImageRef, "registry">): ImageRef {
  return { ...image, registry: privateEcrHost(ecr) };
}

const SUFFIXES: readonly (readonly [RegExp, string])[] = [
  [/^cn-/, "amazonaws.com.cn"],
  [/^us-iso-/, "c2s.ic.gov"],
  [/^us-isob-/, "sc2s.sgov.gov"],
  [/^eu-isoe-/, "cloud.adc-e.uk"],
  [/^us-isof-/, "csp.hci.ic.gov"],
  [/^eusc-/, "amazonaws.eu"],
];

const suffixOf = (region: string): string => SUFFIXES.find(([pattern]) => pattern.test(region))?.[1] ?? "amazonaws.com";
