import { readFileSync, statSync } from "node:fs";
import { DeployConfig } from "../release/project/deploy-config.ts";
import { readYaml } from "../release/project/yaml-problems.ts";

/** What was given as omx.deploy.yaml is none, which is wrong usage of whatever was to read it. */
export class DeployConfigInvalid extends Error {
  override readonly name = "DeployConfigInvalid";
}

/**
 * Reads omx.deploy.yaml.
 * @throws DeployConfigInvalid naming the file, the place in it and what is allowed there, for every problem at once
 */
export function readDeployConfig(file: string): DeployConfig {
  if (statSync(file).isDirectory()) throw new DeployConfigInvalid(`${file} is a folder; give the file`);
  const read = readYaml(readFileSync(file, "utf8"), { schema: DeployConfig, file });
  if ("data" in read) return read.data;
  throw new DeployConfigInvalid(read.problems.join("\n"));
}
