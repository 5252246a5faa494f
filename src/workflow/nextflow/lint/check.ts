import type { Manifest } from "../manifest.ts";
import type { Pipeline } from "../pipeline.ts";
import type { Project } from "../project.ts";
import { checkEngine } from "./engine.ts";
import { checkImages } from "./images.ts";
import { checkOutputs } from "./outputs.ts";
import { checkResources } from "./resources.ts";

/** What was read of a pipeline, to be held against what HealthOmics does. */
export interface Checked {
  readonly manifest: Manifest;
  readonly dsl: "DSL1" | "DSL2";
}

/** Tells of everything that HealthOmics would refuse or do otherwise. */
export function check(project: Project, pipeline: Pipeline, checked: Checked): void {
  checkEngine(project, pipeline, checked);
  checkOutputs(project, pipeline);
  checkResources(project, pipeline);
  checkImages(project, pipeline);
}
