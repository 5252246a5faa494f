import { hmacSha256, scopeText, sha256Hex, signingKey } from "../gateway/signing-key.ts";

export interface GitIdentity {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly region: string;
  /** As git names it, its port included. */
  readonly host: string;
  /** `/v1/repos/<name>` */
  readonly path: string;
  readonly now: Date;
}

/** The user name and password that CodeCommit takes over HTTP, as `aws codecommit credential-helper` makes them. */
export function gitCredential({ accessKeyId, secretAccessKey, sessionToken, region, host, path, now }: GitIdentity): {
  readonly username: string;
  readonly password: string;
} {
  const timestamp = now.toISOString().replaceAll(/[-:]|\.\d{3}Z$/g, "");
  const scope = { date: timestamp.slice(0, 8), region, service: "codecommit" };
  const canonical = `GIT\n${path}\n\nhost:${host}\n\nhost\n`;
  const toSign = `AWS4-HMAC-SHA256\n${timestamp}\n${scopeText(scope)}\n${sha256Hex(canonical)}`;
  const signature = hmacSha256(signingKey(secretAccessKey, scope), toSign).toString("hex");
  return { username: sessionToken ? `${accessKeyId}%${sessionToken}` : accessKeyId, password: `${timestamp}Z${signature}` };
}
