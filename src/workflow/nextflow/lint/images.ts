import { settingAt } from "../config/settings.ts";
import { truth } from "../evaluate/values.ts";
import { containersOf } from "../images/containers.ts";
import type { Pipeline } from "../pipeline.ts";
import { report, sourceOf, type Project } from "../project.ts";

/** Tasks that bring no image of their own, and services that would make one. */
export function checkImages(project: Project, pipeline: Pipeline): void {
  for (const task of pipeline.tasks) if (containersOf(task).length === 0) checkBare(project, task);
  for (const service of ["wave", "fusion"]) checkService(project, pipeline, service);
}

/** A process without a container runs in an image of the service, and is never cached. */
function checkBare(project: Project, { invocation, directives, configured }: Pipeline["tasks"][number]): void {
  const { process, module } = invocation;
  const hasConda = configured.settings.has("conda") || directives.some(({ name }) => name === "conda" || name === "spack");
  const isNative = process.body.some((each) => each.kind === "label" && each.name === "exec");
  if (isNative) return;
  const message = hasConda
    ? `${process.name} has a conda environment and no container; HealthOmics makes no environments: give it a container`
    : `${process.name} has no container: it runs in an image of the service, with what happens to be there, and is never cached`;
  report(project, {
    rule: "nextflow-no-container",
    severity: hasConda ? "error" : "warning",
    file: module.file,
    offset: process.start,
    message,
  });
}

function checkService(project: Project, { config }: Pipeline, service: string): void {
  const setting = settingAt(config.root, service, "enabled");
  const file = setting && sourceOf(project, setting.file);
  if (setting === undefined || file === undefined || truth(setting.choices[0]?.value ?? null) !== true) return;
  const message = `${service} asks a service on the internet, which HealthOmics does not reach; leave it off`;
  report(project, { rule: "nextflow-network-service", severity: "error", file, offset: setting.offset, message });
}
