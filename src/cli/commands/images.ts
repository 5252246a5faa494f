import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { imagesBuild } from "./images-build.ts";
import { imagesList } from "./images-list.ts";
import { imagesLock } from "./images-lock.ts";
import { imagesPlan } from "./images-plan.ts";
import { imagesPull } from "./images-pull.ts";
import { imagesVerify } from "./images-verify.ts";

/** `omx images …` */
export function images(program: Command, cli: Cli): void {
  const group = program
    .command("images")
    .summary("bring container images into private ECR")
    .description("Container images of workflows in an account's private ECR, where HealthOmics takes them from.");
  for (const add of [imagesPlan, imagesPull, imagesBuild, imagesList, imagesLock, imagesVerify]) add(group, cli);
}
