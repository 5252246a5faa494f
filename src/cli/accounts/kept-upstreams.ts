import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Where the local accounts of a folder read registries, as `omx local start --upstream` told them; read without zod, which takes as long as a small command. */
export function keptUpstreams(dataDir: string): Readonly<Record<string, string>> {
  try {
    const { upstreams = {} } = JSON.parse(readFileSync(join(dataDir, "options.json"), "utf8")) as {
      readonly upstreams?: Readonly<Record<string, string>>;
    };
    return upstreams;
  } catch {
    return {};
  }
}
