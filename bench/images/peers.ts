import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";

/** One image's way: `127.0.0.1:5001/a/b:1` to `127.0.0.1:5002/a/b:1`. */
export interface Way {
  readonly source: string;
  readonly target: string;
  /** The folder of Docker's configuration, with the password for the target. */
  readonly dockerConfig: string;
}

/** Another program that copies images, one call for each. */
export interface Peer {
  readonly name: string;
  /** Whether what arrives has the digest of what was there; docker writes manifests of its own. */
  readonly keepsDigests: boolean;
  copy(way: Way): Promise<void>;
  /** Takes away what a copy left on this machine. */
  clean?(ways: readonly Way[]): Promise<void>;
}

const hostOf = (image: string): string => image.slice(0, image.indexOf("/"));

const PEERS: readonly (Peer & { readonly isThere: () => boolean })[] = [
  {
    name: "skopeo",
    keepsDigests: true,
    isThere: () => spawnSync("skopeo", ["--version"]).status === 0,
    copy: ({ source, target, dockerConfig }) =>
      run(
        "skopeo",
        [
          "--insecure-policy",
          "copy",
          "--quiet",
          "--all",
          "--src-tls-verify=false",
          "--dest-tls-verify=false",
          `docker://${source}`,
          `docker://${target}`,
        ],
        dockerConfig,
      ),
  },
  {
    name: "crane",
    keepsDigests: true,
    isThere: () => spawnSync("crane", ["version"]).status === 0,
    copy: ({ source, target, dockerConfig }) => run("crane", ["copy", "--insecure", source, target], dockerConfig),
  },
  {
    name: "regctl",
    keepsDigests: true,
    isThere: () => spawnSync("regctl", ["version"]).status === 0,
    copy: ({ source, target, dockerConfig }) =>
      run(
        "regctl",
        [...[source, target].flatMap((image) => ["--host", `reg=${hostOf(image)},tls=disabled`]), "image", "copy", source, target],
        dockerConfig,
      ),
  },
  {
    name: "docker",
    keepsDigests: false,
    isThere: () => spawnSync("docker", ["info"], { stdio: "ignore" }).status === 0,
    copy: async ({ source, target, dockerConfig }) => {
      await run("docker", ["pull", "-q", source]);
      await run("docker", ["tag", source, target]);
      await run("docker", ["push", "-q", target], dockerConfig);
    },
    clean: async (ways) => {
      for (const { source, target } of ways) await run("docker", ["rmi", "-f", source, target]);
    },
  },
];

/** The programs of the list that this machine has. */
export const peersAmong = (names: readonly string[]): readonly Peer[] =>
  PEERS.filter((peer) => names.includes(peer.name) && peer.isThere());

/** Runs a program to its end. @throws Error with its last words when it fails */
export function run(command: string, args: readonly string[], dockerConfig?: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const login = dockerConfig === undefined ? {} : { DOCKER_CONFIG: dockerConfig, REGISTRY_AUTH_FILE: join(dockerConfig, "config.json") };
    const child = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, ...login } });
    let said = "";
    child.stderr.on("data", (chunk) => (said = (said + String(chunk)).slice(-500)));
    child.on("error", reject);
    child.on("close", (code) => (code === 0 ? resolve() : reject(new Error(`${command} ended with ${code}: ${said}`))));
  });
}
