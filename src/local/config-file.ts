import type { Identity } from "./identities.ts";

/** An identity with its secret. */
export interface SignedInIdentity extends Identity {
  readonly secretAccessKey: string;
}

/**
 * The AWS config file for the AWS CLI, boto3, `cdk` and git: a profile for each identity. `[default]` is the first one,
 * because `cdk --profile X` reads the endpoint from `[default]` alone.
 */
export function renderConfigFile(
  identities: readonly SignedInIdentity[],
  { endpoint, region }: { readonly endpoint: string; readonly region: string },
): string {
  const section = (title: string, identity: SignedInIdentity): string =>
    [
      `[${title}]`,
      `region = ${region}`,
      "output = json",
      `endpoint_url = ${endpoint}`,
      "disable_host_prefix_injection = true",
      "cli_pager =",
      `aws_access_key_id = ${identity.accessKeyId}`,
      `aws_secret_access_key = ${identity.secretAccessKey}`,
      "s3 =",
      "  addressing_style = path",
      "  signature_version = s3v4",
      "",
    ].join("\n");
  const [first] = identities;
  const sections = identities.map((identity) => section(`profile ${identity.profile}`, identity));
  return `# Written by \`omx local start\`; use it with AWS_CONFIG_FILE and --profile.\n${[...(first ? [section("default", first)] : []), ...sections].join("\n")}`;
}
