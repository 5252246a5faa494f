import type { ImageUse, Parameter, ParameterTemplate, UnresolvedImage } from "../../inspection.ts";
import type { Manifest } from "../manifest.ts";
import type { Pipeline } from "../pipeline.ts";
import type { Project } from "../project.ts";
import { checkEngine } from "./engine.ts";
import { checkImages } from "./images.ts";
import { checkOutputs } from "./outputs.ts";
import { checkResources } from "./resources.ts";
import { checkTemplate } from "./template.ts";

/** What was read of a pipeline, to be held against what HealthOmics does. */
export interface Checked {
  readonly manifest: Manifest;
  readonly dsl: "DSL1" | "DSL2";
  readonly parameterTemplate: ParameterTemplate;
  readonly parameters: readonly Parameter[];
  readonly images: readonly ImageUse[];
  readonly unresolved: readonly UnresolvedImage[];
}

/** Tells of everything that HealthOmics would refuse or do otherwise. */
export function check(project: Project, pipeline: Pipeline, checked: Checked): void {
  checkEngine(project, pipeline, checked);
  checkOutputs(project, pipeline);
  checkResources(project, pipeline);
  checkImages(project, pipeline, checked);
  checkTemplate(project, checked.parameterTemplate, checked.parameters);
}
