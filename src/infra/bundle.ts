import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { buildSync } from "esbuild";

export interface Bundles {
  /** The Lambda functions: `<name>.mjs`, each with an export `handler`. */
  readonly functions: string;
  /** The toolkit of builds: `omx-ci.mjs`. */
  readonly toolkit: string;
}

/**
 * Bundles the entry points of `src/handlers` with everything they import, the SDK included: what runs on AWS is what
 * was tested, whatever version of the SDK the runtime brings.
 * @param root the clone
 * @param out an empty folder of the caller's own: two may synthesize at once
 */
export function bundleHandlers(root: string, out: string): Bundles {
  const functions = join(out, "functions");
  const toolkit = join(out, "toolkit");
  const sources = join(root, "src", "handlers");
  const lambdas = readdirSync(join(sources, "lambda")).filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"));
  bundle(
    lambdas.map((name) => join(sources, "lambda", name)),
    functions,
  );
  bundle([join(sources, "omx-ci.ts")], toolkit);
  return { functions, toolkit };
}

function bundle(entryPoints: readonly string[], outdir: string): void {
  mkdirSync(outdir, { recursive: true });
  buildSync({
    entryPoints: [...entryPoints],
    outdir,
    bundle: true,
    splitting: true,
    minify: true,
    keepNames: true,
    format: "esm",
    platform: "node",
    target: "node22",
    outExtension: { ".js": ".mjs" },
    chunkNames: "chunk-[hash]",
    legalComments: "none",
    logLevel: "error",
    // Bundled CommonJS calls require() for Node's own modules.
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
  });
}
