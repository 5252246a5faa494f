import { InvalidArgumentError } from "commander";
import { REGION } from "../kit/region.ts";
import { parseS3Uri } from "../kit/s3-uri.ts";
import { parsePlatform } from "../oci/manifest.ts";
import { UsageError } from "./cli.ts";
import { namespaceProblems, registryProblem } from "../kit/registry-namespaces-entries.ts";

/** What `--profile` does. */
export const PROFILE_HELP =
  "the identity: a profile of AWS_CONFIG_FILE, of the local accounts, or of ~/.aws/config (default: AWS_PROFILE, keys of the environment, the local accounts)";

/** Where the local accounts answer. */
export const DEFAULT_PORT = 4577;

/** A port, 0 for any free one. */
export function port(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > 65_535) throw new InvalidArgumentError("a port is a number from 0 (any free one) to 65535.");
  return value;
}

/** The name of an AWS region, by its form. */
export function region(text: string): string {
  if (!REGION.test(text)) throw new InvalidArgumentError("a region looks like us-east-1.");
  return text;
}

/** The name of a workflow version (HealthOmics's WorkflowVersionName). */
export function versionName(text: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(text))
    throw new InvalidArgumentError(
      "a version's name has 1 to 64 letters, digits, dots, hyphens and underscores, and begins with a letter or digit.",
    );
  return text;
}

/** A positive whole number. */
export function count(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError("a positive whole number is needed.");
  return Number(text);
}

/** `quay.io=http://127.0.0.1:5001`, repeatable. */
export function upstream(text: string, before: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const [, host, url] = /^([^=]+)=(https?:\/\/.+)$/.exec(text) ?? [];
  if (!host || !url) throw new InvalidArgumentError("write HOST=URL, as in quay.io=http://127.0.0.1:5001.");
  const problem = registryProblem(host) ?? addressProblem(url);
  // Commander's own error would quote what was written, a password too.
  if (problem) throw url.includes("@") ? new UsageError(`--upstream ${host}=…: ${problem}`) : new InvalidArgumentError(`${problem}.`);
  return { ...before, [host]: url.replace(/\/+$/, "") };
}

function addressProblem(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url) return "what follows the = is no address; write it as in quay.io=http://127.0.0.1:5001";
  if (url.username !== "" || url.password !== "") return `an address holds no password; log in with \`docker login ${url.host}\``;
  return url.search === "" && url.hash === "" ? undefined : "an address of a registry ends with its path";
}

/** `eu.gcr.io=eu-gcr` or `*.example.org=lab/*`, repeatable. */
export function namespace(text: string, before: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const [, host, prefix] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (!host || !prefix) throw new InvalidArgumentError("write HOST=PREFIX, as in eu.gcr.io=eu-gcr.");
  const namespaces = { ...before, [host]: prefix };
  const [problem] = namespaceProblems(namespaces);
  if (problem) throw new InvalidArgumentError(`${problem.message}.`);
  return namespaces;
}

/** `111122223333=cicd`, repeatable. */
export function account(
  text: string,
  before: readonly { readonly id: string; readonly name: string }[] = [],
): readonly { readonly id: string; readonly name: string }[] {
  const [, id, name] = /^(\d{12})=([a-z][a-z0-9-]*)$/.exec(text) ?? [];
  if (!id || !name)
    throw new InvalidArgumentError("write ID=NAME, as in 111122223333=cicd: twelve digits, then lower-case letters, digits and hyphens.");
  return [...before, { id, name }];
}

/** `NAME=VALUE`, repeatable. */
export function pair(text: string, before: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("write NAME=VALUE.");
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

/** `arn:aws:iam::111122223333:role/name`. */
export function roleArn(text: string): string {
  if (!/^arn:aws[a-z-]*:iam::\d{12}:role\/.+$/.test(text))
    throw new InvalidArgumentError("a role's ARN looks like arn:aws:iam::111122223333:role/name.");
  return text;
}

/** `s3://bucket/key`. */
export function s3Uri(text: string): string {
  try {
    parseS3Uri(text);
    return text;
  } catch (error) {
    throw new InvalidArgumentError(`${(error as Error).message}.`);
  }
}

/** `linux/amd64`, or `all`. */
export const onePlatform = (text: string): string => (text === "all" ? text : platform(text, ", or all"));

/** One of several platforms, repeatable. */
export const platforms = (text: string, before: readonly string[] = []): readonly string[] => {
  if (text === "all") throw new InvalidArgumentError("name each platform, as in linux/amd64.");
  return [...before, platform(text)];
};

function platform(text: string, other = ""): string {
  try {
    parsePlatform(text);
    return text;
  } catch (error) {
    throw new InvalidArgumentError(`${(error as Error).message}${other}.`);
  }
}
