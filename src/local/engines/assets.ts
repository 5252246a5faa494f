import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/**
 * A file or folder that lies beside this module in the sources and is not TypeScript: Python, requirements.
 * The compiled output holds none of them, so there the sources' own are used.
 */
export function asset(name: string): string {
  const beside = fileURLToPath(new URL(name, import.meta.url));
  return existsSync(beside) ? beside : beside.replace(/([\\/])dist([\\/]local[\\/]engines[\\/])/, "$1src$2");
}

/** The root of the package: where `node_modules` and `src` lie. */
export const packageRoot = (): string => asset("python").replace(/[\\/]src[\\/]local[\\/]engines[\\/]python$/, "");
