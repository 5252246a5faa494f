import { pack } from "tar-stream";
import { buffer } from "node:stream/consumers";
import { declaredPlatformArgs, forClassicBuilder, namesScratch, scratchFor } from "../../../oci/image/classic-dockerfile.ts";
import { parsePlatform } from "../../../oci/manifest.ts";
import { baseOptions, DEFAULT_PLATFORM } from "./bases.ts";
import { type Engine, execute, run } from "./engine.ts";
import type { BuildItem } from "../staging.ts";

/** What reads a Dockerfile: BuildKit, Docker's classic builder, or Podman and Buildah, which know what BuildKit knows. */
export type Dialect = "BuildKit" | "classic" | "own";

export async function dialectOf(engine: Engine): Promise<Dialect> {
  if (engine.program !== "docker") return "own";
  // docs.docker.com/build/buildkit/#getting-started
  if (/^(?:0|f|false)$/i.test(engine.env["DOCKER_BUILDKIT"] ?? "")) return "classic";
  return (await execute({ ...engine, onLine: () => undefined }, ["buildx", "version"])).code === 0 ? "BuildKit" : "classic";
}

const OWN_PLATFORMS: Readonly<Record<string, string>> = { x64: "linux/amd64", arm64: "linux/arm64" };

/** What this machine runs without being asked. */
export const OWN_PLATFORM = OWN_PLATFORMS[process.arch];

export interface InDialect {
  readonly text: string;
  /** What the engine has to be told beside the Dockerfile. */
  readonly flags: readonly string[];
}

/** Who reads a Dockerfile, for what. */
export interface Reader {
  readonly engine: Engine;
  readonly dialect: Dialect;
  readonly item: BuildItem;
  readonly isOneOfSeveral: boolean;
}

/** A Dockerfile as the engine reads it. An empty image for another platform is made where it needs one. @throws DockerfileError, ReleaseError ImagesFailed */
export async function inDialect(text: string, { engine, dialect, item, isOneOfSeveral }: Reader): Promise<InDialect> {
  const [platform = DEFAULT_PLATFORM] = item.platforms ?? [];
  const hasForeignScratch = platform !== OWN_PLATFORM && namesScratch(text);
  // Podman takes what it built on `scratch` for one platform for the same of another.
  const anew = engine.program === "podman" && (hasForeignScratch || (isOneOfSeveral && namesScratch(text)));
  if (dialect !== "classic") return { text, flags: [...platformFlags(platform), ...(anew ? ["--layers=false", "--no-cache"] : [])] };
  const options = { ...baseOptions(item), buildPlatform: parsePlatform(OWN_PLATFORM ?? DEFAULT_PLATFORM) };
  const scratch = hasForeignScratch ? await loadScratch(engine, item) : undefined;
  const known = Object.entries(declaredPlatformArgs(text, options)).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]);
  // Told a platform, it refuses to copy from a stage of another; it builds for that of the base.
  return { text: forClassicBuilder(text, { ...options, scratch }), flags: known };
}

/** Nobody needs the flag for the machine's own. */
export const platformFlags = (platform: string): readonly string[] => (platform === OWN_PLATFORM ? [] : ["--platform", platform]);

async function loadScratch(engine: Engine, item: BuildItem): Promise<string> {
  const { platform } = baseOptions(item);
  const name = scratchFor(platform);
  const tar = pack();
  tar.entry({ name: "config.json" }, JSON.stringify({ ...platform, config: {}, rootfs: { type: "layers", diff_ids: [] }, history: [] }));
  tar.entry({ name: "manifest.json" }, JSON.stringify([{ Config: "config.json", RepoTags: [name], Layers: [] }]));
  tar.finalize();
  await run({ ...engine, onLine: () => undefined }, ["load"], await buffer(tar));
  return name;
}
