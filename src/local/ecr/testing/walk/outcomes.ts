import { Unsupported } from "./registry.ts";

/** What a check came to. Unsupported is what the specification lets a registry refuse. */
export interface Outcome {
  readonly check: string;
  readonly result: "passed" | "unsupported" | "failed";
  readonly why?: string;
}

/** Does one check and notes what it came to; false where it did not pass. */
export type Check = (name: string, work: () => Promise<unknown>) => Promise<boolean>;

/** Collects outcomes. */
export function outcomes(): { readonly check: Check; readonly all: readonly Outcome[] } {
  const all: Outcome[] = [];
  return {
    all,
    async check(name, work) {
      try {
        await work();
        all.push({ check: name, result: "passed" });
        return true;
      } catch (error) {
        all.push({ check: name, result: error instanceof Unsupported ? "unsupported" : "failed", why: (error as Error).message });
        return false;
      }
    },
  };
}
