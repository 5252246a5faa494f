import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { imagesPull } from "./images-pull.ts";

/** `omx images …` */
export function images(program: Command, cli: Cli): void {
  const group = program.command("images").summary("bring container images into private ECR").description("Container images of workflows in an account's private ECR, where HealthOmics takes them from.");
  imagesPull(group, cli);
}
