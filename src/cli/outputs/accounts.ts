import { z } from "zod";

const running = {
  url: z.string(),
  port: z.int(),
  pid: z.int(),
  dataDir: z.string(),
  configFile: z.string(),
  accounts: z.array(z.object({ id: z.string(), name: z.string(), profile: z.string() })),
};

/** What commands on accounts and deployments print with `--json`, by the command. */
export const ACCOUNTS = {
  "local start": z.object(running),
  "local status": z.object({ running: z.boolean(), ...z.object(running).partial().shape, dataDir: z.string() }),
  "local stop": z.object({
    stopped: z.boolean(),
    pid: z.int().optional(),
    left: z
      .array(z.object({ kind: z.string(), owner: z.string(), pid: z.int().optional(), container: z.string().optional() }))
      .optional()
      .describe("builds and workflow runs that go on until the next start"),
  }),
  "local reset": z.object({ reset: z.boolean(), dataDir: z.string() }),
  "local env": z.object({ export: z.record(z.string(), z.string()), unset: z.array(z.string()) }),
  deploy: z.object({ deployed: z.boolean(), config: z.string() }),
  "workflow add": z.object({ name: z.string(), config: z.string(), deployed: z.boolean() }),
  "workflow list": z.object({
    workflows: z.array(
      z.object({
        name: z.string(),
        source: z.enum(["codecommit", "connection"]),
        repository: z.string(),
        branch: z.string(),
        pipeline: z.string(),
      }),
    ),
  }),
  console: z.object({ url: z.string(), reportsUrl: z.string() }),
  doctor: z.object({
    ok: z.boolean(),
    findings: z.array(
      z.object({ name: z.string(), status: z.enum(["ok", "missing", "optional"]), detail: z.string(), fix: z.string().optional() }),
    ),
  }),
} as const;
