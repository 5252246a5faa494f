import { z } from "zod";

const of = { workflow: z.string(), pipelineExecutionId: z.string() };
const status = z.string().describe("As CodePipeline has it: InProgress, Stopped, Stopping, Succeeded, Superseded, Failed");
const isFirstStart = z
  .literal(true)
  .optional()
  .describe("No release: the pipeline's own start when it was made, which found nothing to release");

const release = z.object({
  ...of,
  status,
  commit: z.string().optional(),
  message: z.string().optional(),
  startedAt: z.string().optional().describe("ISO time"),
  actions: z.array(
    z.object({
      stage: z.string(),
      action: z.string(),
      status: z.string(),
      seconds: z.number().optional(),
      summary: z.string().optional(),
      externalId: z.string().optional().describe("A build's id, an execution's ARN"),
      error: z.string().optional(),
    }),
  ),
  isFirstStart,
  approval: z
    .object({ waiting: z.literal(true), link: z.string().optional() })
    .optional()
    .describe("Set while it waits for one"),
});

const decided = z.object({
  ...of,
  decision: z.enum(["Approved", "Rejected"]),
  by: z.string().describe("ARN"),
  at: z.string().describe("ISO time"),
  comment: z.string(),
});

/** What `omx release …` prints with `--json`, by the command. */
export const RELEASE = {
  "release status": z.union([
    release,
    z
      .object({
        releases: z.array(
          z.object({
            pipelineExecutionId: z.string(),
            status,
            startedAt: z.string(),
            commit: z.string().describe("Empty before there is one"),
            isFirstStart,
            message: z.string().optional().describe("Of the pipeline's own start: what its source said"),
          }),
        ),
      })
      .describe("With --list"),
  ]),
  "release watch": release,
  "release logs": z.object({
    stage: z.string(),
    action: z.string(),
    source: z.string().optional().describe("A build, run/ID/engine, run/ID/task/ID"),
    at: z.string().optional().describe("ISO time"),
    message: z.string(),
  }),
  "release approve": decided,
  "release reject": decided,
  "release retry": z.object({
    ...of,
    stage: z.string(),
    actions: z
      .array(z.object({ action: z.string(), status: z.string(), error: z.string().optional() }))
      .describe("What is tried again, and how it had ended"),
    by: z.string().describe("ARN"),
  }),
} as const;
