import type { Execution } from "./store.ts";

/** Fills in `#{namespace.variable}` and `#{codepipeline.PipelineExecutionId}`; what nobody set becomes empty. */
export function fillVariables(configuration: Readonly<Record<string, string>>, execution: Execution): Record<string, string> {
  const own: Readonly<Record<string, string>> = { PipelineExecutionId: execution.id };
  const fill = (text: string): string =>
    text.replaceAll(/#\{([A-Za-z0-9_@-]+)\.([A-Za-z0-9_-]+)\}/g, (_whole, namespace: string, name: string) => (namespace === "codepipeline" ? own : execution.variables[namespace])?.[name] ?? "");
  return Object.fromEntries(Object.entries(configuration).map(([name, value]) => [name, fill(String(value))]));
}
