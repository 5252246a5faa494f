import { createHash } from "node:crypto";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { formatImageRef, type ImageRef, parseImageRef } from "../../kit/image-ref.ts";
import { InvalidValue } from "../../kit/invalid-value.ts";
import { transportFor } from "../../oci/client/transport.ts";
import { baseUses, replaceBases } from "../../oci/image/base-names.ts";
import { DockerfileError } from "../../oci/image/dockerfile.ts";

/** Where a build's images are read. */
export interface ImageAddresses {
  /** Of the local accounts, whose registry stands for private ECR. */
  readonly endpoint: string;
  /** Registries that are read somewhere else. */
  readonly upstreams: Readonly<Record<string, string>>;
  /** For Dockerfiles whose images have other addresses; it goes with the build. */
  readonly folder: string;
  /** Where docker is called. */
  readonly cwd: string;
}

/** A call of docker as it finds its images. */
export interface DockerCall {
  readonly args: readonly string[];
  /** What has to be tagged after it, so that it has the name that it was asked for by. */
  readonly tag?: { readonly source: string; readonly name: string };
}

/**
 * The images of a `docker build` and a `docker pull` at the addresses where they answer: private ECR in the local
 * accounts, mirrors in place of their registries. Every other call, and what is not understood, stays as it is.
 */
export async function findImages(args: readonly string[], addresses: ImageAddresses): Promise<DockerCall> {
  const at = ["image", "builder", "buildx"].includes(args[0] ?? "") ? 1 : 0;
  if (args[at] !== "build" && args[at] !== "pull") return { args };
  return args[at] === "build" ? { args: await buildCall(args, at, addresses) } : pullCall(args, addresses);
}

function pullCall(args: readonly string[], addresses: ImageAddresses): DockerCall {
  const name = args.at(-1) ?? "";
  const source = addressOf(name, addresses);
  if (source === undefined) return { args };
  return { args: [...args.slice(0, -1), source], ...(!name.includes("@") && { tag: { source, name } }) };
}

async function buildCall(args: readonly string[], at: number, addresses: ImageAddresses): Promise<readonly string[]> {
  const context = args.at(-1) ?? "";
  const file = valuesOf(args, ["--file", "-f"]).at(-1);
  if (file === "-" || context === "-" || /^[a-z+]+:\/\/|^git@/.test(context)) return args;
  const dockerfile = resolve(addresses.cwd, file ?? join(context, "Dockerfile"));
  const text = await readFile(dockerfile, "utf8").catch(() => undefined);
  const moved = text === undefined ? undefined : movedBases(text, args, addresses);
  if (moved === undefined || moved === text) return args;
  await mkdir(addresses.folder, { recursive: true });
  const written = join(addresses.folder, `${createHash("sha256").update(moved).digest("hex")}.Dockerfile`);
  await writeFile(written, moved);
  await copyFile(`${dockerfile}.dockerignore`, `${written}.dockerignore`).catch(() => undefined);
  return [...args.slice(0, at + 1), "--file", written, ...withoutFile(args.slice(at + 1))];
}

/** Undefined where the Dockerfile is none: docker says so itself. */
function movedBases(text: string, args: readonly string[], addresses: ImageAddresses): string | undefined {
  const buildArgs = Object.fromEntries(
    valuesOf(args, ["--build-arg"]).flatMap((pair) =>
      pair.includes("=") ? [[pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]] : [],
    ),
  );
  const platform = { os: "linux", architecture: process.arch === "arm64" ? "arm64" : "amd64" };
  try {
    const uses = baseUses(text, { file: "Dockerfile", buildArgs, platform, target: valuesOf(args, ["--target"]).at(-1) });
    return replaceBases(
      text,
      uses,
      new Map(
        uses.flatMap(({ image }) => {
          const address = addressOf(image, addresses);
          return address === undefined ? [] : [[image, address]];
        }),
      ),
    );
  } catch (error) {
    if (error instanceof DockerfileError) return undefined;
    throw error;
  }
}

/** Where an image answers; undefined where that is its own registry, or the text no image. */
function addressOf(name: string, { endpoint, upstreams }: ImageAddresses): string | undefined {
  const ref = refOf(name);
  if (!ref) return undefined;
  const [own, { origin, prefix }] = [transportFor()(ref.registry), transportFor({ upstreams, ecrEndpoint: endpoint })(ref.registry)];
  if (origin === own.origin && prefix === own.prefix) return undefined;
  return formatImageRef({ ...ref, registry: new URL(origin).host, repository: prefix + ref.repository });
}

function refOf(name: string): ImageRef | undefined {
  try {
    return parseImageRef(name);
  } catch (error) {
    if (error instanceof InvalidValue) return undefined;
    throw error;
  }
}

/** The values of an option, in each of the forms that docker takes. */
function valuesOf(args: readonly string[], names: readonly string[]): readonly string[] {
  return args.flatMap((arg, index) => {
    const name = names.find((one) => arg === one || arg.startsWith(one.startsWith("--") ? `${one}=` : one));
    if (name === undefined || (name.startsWith("--") === false && arg.startsWith("--"))) return [];
    return arg === name ? (args[index + 1] ?? []) : [arg.slice(name.length).replace(/^=/, "")];
  });
}

const withoutFile = (args: readonly string[]): readonly string[] =>
  args.filter((arg, index) => !/^(?:--file(?:=.*)?|-f.*)$/s.test(arg) && !["--file", "-f"].includes(args[index - 1] ?? ""));
