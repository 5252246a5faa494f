import type { Command } from "commander";
import { PROFILE_HELP, region } from "../options.ts";

/** What every command on a release takes. */
export interface ReleaseFlags {
  readonly execution?: string;
  readonly profile?: string;
  readonly region?: string;
  readonly json?: boolean;
}

/** The arguments and options that every command on a release takes. */
export const onRelease = (command: Command): Command =>
  command
    .argument("<workflow>", "the workflow's name")
    .option("--execution <id>", "the pipeline execution, or the start of its id (default: the latest)")
    .option("--profile <name>", PROFILE_HELP)
    .option("--region <region>", "the region of the cicd account (default: the profile's)", region);
