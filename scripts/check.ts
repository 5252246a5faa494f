import { spawnSync } from "node:child_process";

const FORMAT = ["format", "prettier", "--check", "--cache", "--log-level=warn", "**/*.{ts,mjs,cjs}"] as const;

/** Checks in the order in which they fail fastest. */
const STEPS: Readonly<Record<string, readonly (readonly [name: string, command: string, ...args: string[]])[]>> = {
  fast: [
    ["types and layers", "tsc", "-b"],
    ["lint", "oxlint"],
    FORMAT,
    ["touched tests", "node", "node_modules/vitest/vitest.mjs", "run", "--changed", "--reporter=dot", "--passWithNoTests"],
  ],
  all: [
    ["types and layers", "tsc", "-b"],
    ["lint", "oxlint"],
    FORMAT,
    ["templates", "cdk", "synth", "--all", "--quiet"],
    ["tests", "node", "--no-warnings", "scripts/test.ts"],
  ],
};

for (const [name, command, ...args] of STEPS[process.argv[2] ?? "all"] ?? []) {
  process.stderr.write(`→ ${name}\n`);
  const { status } = spawnSync(command, args, { stdio: "inherit" });
  if (status === 0) continue;
  process.stderr.write(`✗ ${name}\n`);
  process.exit(1);
}
