import type { ImageUse, UnresolvedImage } from "../../inspection.ts";
import { settingAt } from "../config/settings.ts";
import { truth } from "../evaluate/values.ts";
import { containersOf } from "../images/containers.ts";
import type { Pipeline } from "../pipeline.ts";
import { report, sourceOf, tell, type Project } from "../project.ts";

interface Images {
  readonly images: readonly ImageUse[];
  readonly unresolved: readonly UnresolvedImage[];
}

const PRIVATE = /^\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?\//;

/** Whether HealthOmics can pull what the tasks run in, and whether it is the same tomorrow. */
export function checkImages(project: Project, pipeline: Pipeline, { images, unresolved }: Images): void {
  for (const use of images) if (use.condition === undefined || use.how === "profile") checkImage(project, use);
  for (const { expression, file, line, input } of unresolved) {
    const message =
      `the image ${expression} is known only when ${input === undefined ? "the workflow runs" : `a run sets ${input}`}; ` +
      "it can neither be copied nor pinned before: give a default";
    tell(project, { rule: "nextflow-image-unresolved", severity: "warning", file, line, column: 1, message });
  }
  for (const task of pipeline.tasks) if (containersOf(task).length === 0) checkBare(project, task);
  for (const service of ["wave", "fusion"]) checkService(project, pipeline, service);
}

function checkImage(project: Project, { image, file, line }: ImageUse): void {
  const say = (rule: string, severity: "error" | "warning" | "info", message: string): void =>
    tell(project, { rule, severity, file, line, column: 1, message });
  if (/^(?:[a-z]+:\/\/|\/)/.test(image))
    return say("nextflow-image-not-oci", "error", `${image} is no image of a container registry; HealthOmics pulls from Amazon ECR alone`);
  const name = image.slice(image.lastIndexOf("/") + 1);
  if (!image.includes("@sha256:") && !name.includes(":"))
    say(
      "nextflow-image-unpinned",
      "warning",
      `${image} names no tag, so it is "latest" and changes without notice; write a version or a digest`,
    );
  else if (name.endsWith(":latest")) say("nextflow-image-unpinned", "warning", `${image} changes without notice; write a version or a digest`);
  if (!PRIVATE.test(image))
    say(
      "nextflow-image-public",
      "info",
      `${image} is not in a private ECR repository: a run needs it copied there and a registry map (omx makes both)`,
    );
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
