import { spawn, spawnSync } from "node:child_process";

/** One image's way: `127.0.0.1:5001/a/b:1` to `127.0.0.1:5002/a/b:1`. */
export interface Way {
  readonly source: string;
  readonly target: string;
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
    copy: ({ source, target }) =>
      run("skopeo", [
        "--insecure-policy",
        "copy",
        "--quiet",
        "--all",
        "--src-tls-verify=false",
        "--dest-tls-verify=false",
        `docker://${source}`,
        `docker://${target}`,
      ]),
  },
  {
    name: "crane",
    keepsDigests: true,
    isThere: () => spawnSync("crane", ["version"]).status === 0,
    copy: ({ source, target }) => run("crane", ["copy", "--insecure", source, target]),
  },
  {
    name: "regctl",
    keepsDigests: true,
    isThere: () => spawnSync("regctl", ["version"]).status === 0,
    copy: ({ source, target }) =>
      run("regctl", [
        ...[source, target].flatMap((image) => ["--host", `reg=${hostOf(image)},tls=disabled`]),
        "image",
        "copy",
        source,
        target,
      ]),
  },
  {
    name: "docker",
    keepsDigests: false,
    isThere: () => spawnSync("docker", ["info"], { stdio: "ignore" }).status === 0,
    copy: async ({ source, target }) => {
      await run("docker", ["pull", "-q", source]);
      await run("docker", ["tag", source, target]);
      await run("docker", ["push", "-q", target]);
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
export function run(command: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    child.stderr.on("data", (chunk) => (said = (said + String(chunk)).slice(-500)));
    child.on("error", reject);
    child.on("close", (code) => (code === 0 ? resolve() : reject(new Error(`${command} ended with ${code}: ${said}`))));
  });
}
