import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { DOCKER_HUB } from "../../kit/image-ref.ts";
import { registryAt } from "../../kit/image-ref-host.ts";
import { InvalidValue } from "../../kit/invalid-value.ts";
import { passwordFrom } from "./credentials.ts";
import type { CredentialProvider, Credentials } from "./credentials.ts";

interface Login {
  readonly auth?: string;
  readonly identitytoken?: string;
  readonly username?: string;
  readonly password?: string;
}

/** The parts of Docker's `config.json` that say who asks (`docker login`). */
interface DockerConfig {
  readonly auths?: Readonly<Record<string, Login | null>>;
  readonly credHelpers?: Readonly<Record<string, string>>;
  readonly credsStore?: string;
}

/**
 * Credentials of `docker login`: those in the file, and those of the credential programs that it names.
 * @param path Docker's or Podman's configuration file; one that does not exist holds no credentials
 * @param helperTimeoutMs how long a credential program may take. @default 60000, time enough to unlock a keychain
 * @throws InvalidValue when the file is not JSON
 */
export function dockerConfigCredentials(path: string, helperTimeoutMs = 60_000): CredentialProvider {
  let read: Promise<DockerConfig> | undefined;
  return async (registry) => {
    read ??= readConfig(path);
    const config = await read;
    return (await fromHelper({ config, path, timeoutMs: helperTimeoutMs }, registry)) ?? fromFile(config, registry);
  };
}

/** Docker's own key for Docker Hub. */
const HUB_KEY = "https://index.docker.io/v1/";

async function readConfig(path: string): Promise<DockerConfig> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "{}";
    throw error;
  });
  const parsed = readObject(text);
  if (parsed === undefined) throw new InvalidValue("Docker configuration", path, "the file is not a JSON object; mend it or log in again");
  return parsed;
}

/** The object in a text that may hold passwords: what is wrong with it is not told, as Node's own error quotes it. */
function readObject(text: string): object | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return isObject(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null && !Array.isArray(value);

/** The first entry for the registry that says anything: `docker logout` leaves empty ones. Podman's for one namespace come last. */
function fromFile({ auths }: DockerConfig, registry: string): Credentials | undefined {
  const entries = Object.entries(auths ?? {}).filter(([key]) => registryOf(key) === registry);
  const sorted = entries.toSorted(([one], [other]) => Number(isOfNamespace(one)) - Number(isOfNamespace(other)));
  return sorted.map(([, login]) => loginOf(login)).find((login) => login !== undefined);
}

function loginOf(login: Login | null): Credentials | undefined {
  if (!isObject(login)) return undefined;
  if (login.identitytoken) return { kind: "identityToken", token: login.identitytoken };
  if (login.auth) return passwordFrom(login.auth);
  return login.username && login.password ? { kind: "password", username: login.username, password: login.password } : undefined;
}

const withoutScheme = (key: string): string => key.replace(/^https?:\/\//i, "");

/** Keys are hosts, or addresses with a scheme and a version's path; undefined for what is no host. */
function registryOf(key: string): string | undefined {
  const host = withoutScheme(key).replace(/\/.*$/, "").toLowerCase();
  try {
    return registryAt(host, { kind: "registry", text: key });
  } catch {
    return undefined;
  }
}

const isOfNamespace = (key: string): boolean => !/^[^/]*(?:\/(?:v[12]\/?)?)?$/.test(withoutScheme(key));

interface HelperOptions {
  readonly config: DockerConfig;
  readonly path: string;
  readonly timeoutMs: number;
}

async function fromHelper(
  { config: { credHelpers, credsStore }, path, timeoutMs }: HelperOptions,
  registry: string,
): Promise<Credentials | undefined> {
  const key = registry === DOCKER_HUB ? HUB_KEY : registry;
  const helper = credHelpers?.[registry] ?? credHelpers?.[key] ?? credsStore;
  if (helper === undefined || !/^[\w.-]+$/.test(helper)) return undefined;
  const program = `docker-credential-${helper}`;
  const { code, output } = await askHelper(program, key, timeoutMs).catch((error: NodeJS.ErrnoException) => {
    throw failedHelper(
      program,
      `it can't be started (${error.code ?? error.message}), and ${path} names it: install it, or take it out of credsStore and credHelpers there`,
    );
  });
  const answer = readObject(output);
  if (code !== 0) {
    if (/not found/i.test(output)) return undefined;
    const says =
      answer || output.trim() === "" ? `; see what it says to: echo ${key} | ${program} get` : `: ${output.trim().slice(0, 200)}`;
    throw failedHelper(
      program,
      code === undefined ? `it did not answer for ${registry} within ${timeoutMs / 1000} s` : `it failed for ${registry}${says}`,
    );
  }
  const { Username: username, Secret: secret } = (answer ?? {}) as { readonly Username?: unknown; readonly Secret?: unknown };
  if (typeof username !== "string" || typeof secret !== "string")
    throw failedHelper(program, `what it answers for ${registry} is not {"Username": …, "Secret": …}`);
  // A program that knows nobody may say so by leaving both empty.
  if (secret === "") return undefined;
  return username === "<token>" ? { kind: "identityToken", token: secret } : { kind: "password", username, password: secret };
}

const failedHelper = (program: string, why: string): InvalidValue => new InvalidValue("credential program", program, why);

/**
 * The protocol of docker-credential-helpers: the key on stdin, JSON on stdout; a failure's reason on stdout too.
 * @returns no code for a program that had to be ended
 */
function askHelper(
  program: string,
  key: string,
  timeoutMs: number,
): Promise<{ readonly code: number | undefined; readonly output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, ["get"], { stdio: ["pipe", "pipe", "ignore"], timeout: timeoutMs });
    const chunks: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.on("error", reject);
    // Of a program that had to be ended, one that it called may hold the output open.
    child.on("exit", (code) => {
      if (code === null) child.stdout.destroy();
    });
    child.on("close", (code) => resolve({ code: code ?? undefined, output: Buffer.concat(chunks).toString("utf8") }));
    // A program that ends without reading is judged by its exit code.
    child.stdin.on("error", () => undefined);
    child.stdin.end(key);
  });
}
