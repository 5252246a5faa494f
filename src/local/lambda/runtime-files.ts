import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** A file of `runtime/` that is not TypeScript: the compiled output holds none, so there the sources' own is used. */
export function runtimeFile(name: string): string {
  const beside = fileURLToPath(new URL(`runtime/${name}`, import.meta.url));
  return existsSync(beside) ? beside : beside.replace(/([\\/])dist([\\/]local[\\/]lambda[\\/])/, "$1src$2");
}
