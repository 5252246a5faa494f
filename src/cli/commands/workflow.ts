import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { workflowAdd } from "./workflow-add.ts";
import { workflowList } from "./workflow-list.ts";

/** `omx workflow …` */
export function workflow(program: Command, cli: Cli): void {
  const group = program
    .command("workflow")
    .summary("the workflows that a deployment releases")
    .description("The workflows that a deployment releases: each has a repository and a pipeline. They stand in omx.deploy.yaml.");
  for (const add of [workflowAdd, workflowList]) add(group, cli);
}
