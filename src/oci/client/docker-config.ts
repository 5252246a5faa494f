import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { DOCKER_HUB } from "../../kit/image-ref.ts";
import { InvalidValue } from "../../kit/invalid-value.ts";
import { passwordFrom } from "./credentials.ts";
import type { CredentialProvider, Credentials } from "./credentials.ts";

/** The parts of Docker's `config.json` that say who asks (`docker login`). */
interface DockerConfig {
  readonly auths?: Readonly<
    Record<
      string,
      {
        readonly auth?: string;
        readonly identitytoken?: string;
        readonly username?: string;
        readonly password?: string;
      }
    >
  >;
  readonly credHelpers?: Readonly<Record<string, string>>;
  readonly credsStore?: string;
}

/**
 * Credentials of `docker login`: those in the file, and those of the credential programs that it names.
 * @param path Docker's or Podman's configuration file; one that does not exist holds no credentials
 * @throws InvalidValue when the file is not JSON
 */
export function dockerConfigCredentials(path: string): CredentialProvider {
  let read: Promise<DockerConfig> | undefined;
  return async (registry) => {
    read ??= readConfig(path);
    const config = await read;
    return (await fromHelper(config, registry)) ?? fromFile(config, registry);
  };
}

/** Docker's own key for Docker Hub. */
const HUB_KEY = "https://index.docker.io/v1/";

async function readConfig(path: string): Promise<DockerConfig> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "{}";
    throw error;
  });
  try {
    return JSON.parse(text) as DockerConfig;
  } catch {
    throw new InvalidValue("Docker configuration", path, "the file is not JSON; mend it or log in again");
  }
}

function fromFile({ auths = {} }: DockerConfig, registry: string): Credentials | undefined {
  const entry = Object.entries(auths).find(([key]) => hostOf(key) === registry)?.[1];
  if (entry === undefined) return undefined;
  if (entry.identitytoken) return { kind: "identityToken", token: entry.identitytoken };
  if (entry.auth) return passwordFrom(entry.auth);
  return entry.username && entry.password ? { kind: "password", username: entry.username, password: entry.password } : undefined;
}

/** Keys are hosts, or addresses with a scheme and a version's path. */
function hostOf(key: string): string {
  const host = key.replace(/^https?:\/\//, "").replace(/\/.*$/, "");
  return /^(?:index|registry-1)\.docker\.io$/.test(host) ? DOCKER_HUB : host;
}

async function fromHelper({ credHelpers = {}, credsStore }: DockerConfig, registry: string): Promise<Credentials | undefined> {
  const key = registry === DOCKER_HUB ? HUB_KEY : registry;
  const helper = credHelpers[registry] ?? credHelpers[key] ?? credsStore;
  if (helper === undefined || !/^[\w.-]+$/.test(helper)) return undefined;
  const { code, output } = await askHelper(`docker-credential-${helper}`, key);
  if (code !== 0) {
    if (/not found/i.test(output)) return undefined;
    throw new InvalidValue(
      "credential program",
      `docker-credential-${helper}`,
      `it failed for ${registry}: ${output.trim().slice(0, 200)}`,
    );
  }
  const { Username, Secret } = JSON.parse(output) as { Username: string; Secret: string };
  return Username === "<token>" ? { kind: "identityToken", token: Secret } : { kind: "password", username: Username, password: Secret };
}

/** The protocol of docker-credential-helpers: the key on stdin, JSON on stdout; a failure's reason on stdout too. */
function askHelper(program: string, key: string): Promise<{ readonly code: number; readonly output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, ["get"], { stdio: ["pipe", "pipe", "ignore"] });
    const chunks: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.on("error", () =>
      reject(new InvalidValue("credential program", program, "Docker's configuration names it; install it or log in again")),
    );
    child.on("close", (code) => resolve({ code: code ?? 1, output: Buffer.concat(chunks).toString("utf8") }));
    // A program that ends without reading is judged by its exit code.
    child.stdin.on("error", () => undefined);
    child.stdin.end(key);
  });
}
