import { existsSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Takes out of a line of a log what nobody should read there. */
export type Mask = (line: string) => string;

const fileIn = (root: string): string => join(root, "masked");

/** HOME of a build: `docker login` and its kin write there. */
export const homeIn = (root: string): string => join(root, "home");

/** Remembers values for as long as the build's folder is there: a build may be followed again after a restart. */
export const rememberMasked = (root: string, values: readonly string[]): Promise<void> =>
  writeFile(fileIn(root), JSON.stringify(values), { mode: 0o600 });

/** What nobody needs of a build that has ended, and nobody else should find: the values of its secrets, and the logins of its user. */
export async function forgetSecrets(root: string): Promise<void> {
  for (const path of [fileIn(root), homeIn(root)]) await rm(path, { recursive: true, force: true });
}

// One or two characters would take half of every line with them.
const SHORTEST = 3;
const ACCESS_KEY_ID = /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g;

/**
 * Hides in a log what CodeBuild hides: values from Parameter Store and Secrets Manager, and ids of access keys.
 * @see https://docs.aws.amazon.com/codebuild/latest/userguide/data-protection.html
 */
export async function maskOf(root: string): Promise<Mask> {
  const values = existsSync(fileIn(root)) ? (JSON.parse(await readFile(fileIn(root), "utf8")) as readonly string[]) : [];
  // A value of several lines shows up line by line; a longer value may hold a shorter one.
  const hidden = [...new Set(values.flatMap((value) => [value, ...value.split(/\r?\n/)]))]
    .filter((text) => text.trim().length >= SHORTEST)
    .sort((a, b) => b.length - a.length);
  return (line) => hidden.reduce((text, value) => text.replaceAll(value, "***"), line).replaceAll(ACCESS_KEY_ID, "***");
}
