import type { PipelineDeclaration, PipelineVariable } from "@aws-sdk/client-codepipeline";
import { invalidRequest } from "./errors.ts";
import type { Execution } from "./store.ts";

/** Whether each variable has a default, so that nobody need say anything to start. */
export const isComplete = ({ variables = [] }: PipelineDeclaration): boolean =>
  variables.every(({ defaultValue }) => defaultValue !== undefined);

/**
 * The values of a pipeline's variables in one execution: what the start gives, or the defaults.
 * @throws AwsError ValidationException for one that is not declared, and one that has neither
 */
export function resolveVariables({ variables = [] }: PipelineDeclaration, given: readonly PipelineVariable[] = []): Record<string, string> {
  const stranger = given.find(({ name }) => !variables.some((declared) => declared.name === name));
  if (stranger) throw invalidRequest(`Variable ${stranger.name} is not declared in the pipeline`);
  return Object.fromEntries(
    variables.map(({ name = "", defaultValue }): [string, string] => {
      const value = given.find((one) => one.name === name)?.value ?? defaultValue;
      if (value === undefined) throw invalidRequest(`Variable ${name} has no default: give its value`);
      return [name, value];
    }),
  );
}

/** A configuration whose references are filled in, and those that nothing answers. */
export interface Filled {
  readonly configuration: Readonly<Record<string, string>>;
  readonly unresolved: readonly string[];
}

/** Fills in `#{namespace.variable}`, `#{variables.name}` and `#{codepipeline.PipelineExecutionId}`. */
export function fillVariables(configuration: Readonly<Record<string, string>>, execution: Execution): Filled {
  const unresolved: string[] = [];
  const known: Execution["variables"] = { ...execution.variables, codepipeline: { PipelineExecutionId: execution.id } };
  const fill = (text: string): string =>
    text.replaceAll(/#\{([A-Za-z0-9_@-]+)\.([A-Za-z0-9_-]+)\}/g, (reference, namespace: string, name: string) => {
      const value = known[namespace]?.[name];
      if (value === undefined) unresolved.push(reference);
      return value ?? "";
    });
  return {
    configuration: Object.fromEntries(Object.entries(configuration).map(([name, value]) => [name, fill(String(value))])),
    unresolved,
  };
}
