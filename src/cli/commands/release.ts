import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { releaseApprove, releaseReject } from "./release-decide.ts";
import { releaseLogs } from "./release-logs.ts";
import { releaseRetry } from "./release-retry.ts";
import { releaseStatus } from "./release-status.ts";
import { releaseWatch } from "./release-watch.ts";

/** `omx release …` */
export function release(program: Command, cli: Cli): void {
  const group = program
    .command("release")
    .summary("follow, approve, reject and retry releases")
    .description("The releases of a workflow: each push to its release branch is one execution of its pipeline.");
  for (const add of [releaseStatus, releaseWatch, releaseApprove, releaseReject, releaseRetry, releaseLogs]) add(group, cli);
}
