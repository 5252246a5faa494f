import { existsSync, readFileSync } from "node:fs";
import type { Credentials } from "../../aws/target.ts";

/** What one profile of an AWS config file says of itself, without the chains that the SDK follows. */
export interface Profile {
  readonly region?: string;
  readonly endpoint?: string;
  readonly credentials?: Credentials;
}

/** Reads one profile. @returns undefined when the file or the profile is not there */
export function readProfile(file: string, name: string): Profile | undefined {
  if (!existsSync(file)) return undefined;
  const members = sectionsOf(readFileSync(file, "utf8")).get(name);
  if (!members) return undefined;
  const {
    region,
    endpoint_url: endpoint,
    aws_access_key_id: accessKeyId,
    aws_secret_access_key: secretAccessKey,
    aws_session_token: sessionToken,
  } = members;
  return {
    ...(region && { region }),
    ...(endpoint && { endpoint }),
    ...(accessKeyId && secretAccessKey && { credentials: { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) } }),
  };
}

/** Sections by profile; members of nested settings (`s3 =`) are left out. */
function sectionsOf(text: string): ReadonlyMap<string, Readonly<Record<string, string>>> {
  const sections = new Map<string, Record<string, string>>();
  let current: Record<string, string> = {};
  for (const line of text.split(/\r?\n/)) {
    const title = /^\[\s*(?:profile\s+)?"?([^\]"]+?)"?\s*\]/.exec(line)?.[1];
    const [, key, value] = /^([\w-]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (title) sections.set(title, (current = sections.get(title) ?? {}));
    else if (key) current[key] = value ?? "";
  }
  return sections;
}
