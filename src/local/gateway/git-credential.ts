import type { Presented, SignedRequest } from "./signed-request.ts";
import { decodePercent } from "./sigv4-canonical.ts";
import { hmacSha256, scopeText, sha256Hex, signaturesEqual, signingKey } from "./signing-key.ts";

/**
 * Reads the user name and password that `aws codecommit credential-helper` gives to git:
 * `<access key id>[%<session token>]` and `<YYYYMMDDTHHMMSS>Z<signature>`.
 * @returns undefined for any other Authorization header, such as the registry's `AWS:<token>`
 */
export function parseGitCredential(authorization: string): Presented | undefined {
  const basic = /^Basic\s+(\S+)$/i.exec(authorization)?.[1];
  if (basic === undefined) return undefined;
  const match = /^([^:%]+)(?:%([^:]+))?:((\d{8})T\d{6})Z([0-9a-f]{64})$/.exec(Buffer.from(basic, "base64").toString());
  if (!match) return undefined;
  const [, accessKeyId = "", sessionToken, timestamp = "", date = "", signature = ""] = match;
  return {
    kind: "git",
    accessKeyId,
    scope: { date, region: "", service: "codecommit" },
    signedHeaders: ["host"],
    signature,
    timestamp,
    ...(sessionToken !== undefined && { sessionToken }),
  };
}

/**
 * The region for which a `git` credential was signed, or undefined when its signature holds for none.
 * The credential does not name its region (on AWS the host does), so the regions are tried.
 */
export function signedRegion(presented: Presented, secretKey: string, request: SignedRequest): string | undefined {
  const host = request.headers["host"] ?? "";
  const named = /^git-codecommit\.([^.]+)\.amazonaws\.com/.exec(host)?.[1];
  const candidates = named === undefined ? REGIONS : [named];
  const paths = signedPaths(request.rawPath);
  // The AWS CLI leaves the port out of what it signs, other helpers sign the header as it is.
  const hosts = [...new Set([host.replace(/:\d+$/, ""), host])];
  return candidates.find((region) => hosts.some((name) => paths.some((path) => holds({ presented, secretKey, region, path, host: name }))));
}

// The helper signs the URL of the repository as git hands it over: decoded, and without the service git then asks for.
function signedPaths(rawPath: string): readonly string[] {
  const repository = rawPath.replace(/\/(info\/refs|git-upload-pack|git-receive-pack|HEAD|objects\/.*)$/, "");
  return [...new Set([repository, decodePercent(repository), `${repository}/`])];
}

interface GitSignature {
  readonly presented: Presented;
  readonly secretKey: string;
  readonly region: string;
  readonly path: string;
  readonly host: string;
}

// The canonical request of the helper ends after the signed headers: no payload hash, and a time without its Z.
function holds({ presented, secretKey, region, path, host }: GitSignature): boolean {
  const scope = { ...presented.scope, region };
  const canonical = `GIT\n${path}\n\nhost:${host}\n\nhost\n`;
  const toSign = `AWS4-HMAC-SHA256\n${presented.timestamp}\n${scopeText(scope)}\n${sha256Hex(canonical)}`;
  return signaturesEqual(hmacSha256(signingKey(secretKey, scope), toSign).toString("hex"), presented.signature);
}

// https://docs.aws.amazon.com/codecommit/latest/userguide/regions.html, the likeliest first.
const REGIONS: readonly string[] = [
  "us-east-1",
  "us-west-2",
  "eu-west-1",
  "eu-central-1",
  "eu-west-2",
  "ap-southeast-1",
  "il-central-1",
  "us-east-2",
  "us-west-1",
  "ap-northeast-1",
  "ap-northeast-2",
  "ap-northeast-3",
  "ap-south-1",
  "ap-south-2",
  "ap-southeast-2",
  "ap-southeast-3",
  "ap-southeast-4",
  "ap-southeast-5",
  "ap-southeast-7",
  "ap-east-1",
  "ap-east-2",
  "ca-central-1",
  "ca-west-1",
  "eu-central-2",
  "eu-north-1",
  "eu-south-1",
  "eu-south-2",
  "eu-west-3",
  "me-central-1",
  "me-south-1",
  "mx-central-1",
  "sa-east-1",
  "af-south-1",
];
