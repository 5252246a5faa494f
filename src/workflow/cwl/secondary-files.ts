import type { Diagnostic } from "../inspection.ts";
import { itemsOf, member, namedItems, stringOf, lastName, isNull, type Named } from "./nodes.ts";
import { inputsOf } from "./inputs.ts";
import { problem } from "./problems.ts";
import { stepsOf } from "./process.ts";
import type { Scope } from "./scope.ts";
import type { Use } from "./walk.ts";

/** Inputs of the main process without secondaryFiles that are handed as they are to an inner input which has them. */
export function missingSecondaryFiles(uses: readonly Use[]): readonly Diagnostic[] {
  return uses.flatMap(({ scope, task }) =>
    inputsOf(scope.process).flatMap((input) => {
      const main = scope.within && wantsSecondaryFiles(input) ? mainInput(scope, input.id) : undefined;
      if (!main || hasSecondaryFiles(main)) return [];
      return [
        problem(
          "cwl-secondary-files",
          main.at,
          `"${main.id}" goes to "${input.id}" of "${task}", which wants secondaryFiles: HealthOmics stages only what the main workflow's input declares`,
        ),
      ];
    }),
  );
}

/** Whether an engine refuses a file without them: not so for `.bai?` and `required: false`, or where a run decides. */
const wantsSecondaryFiles = ({ node }: Named): boolean =>
  itemsOf(member(node, "secondaryFiles")).some((each) => {
    const pattern = stringOf(each) ?? stringOf(member(each, "pattern")) ?? "";
    const required = member(each, "required");
    const isRequired = isNull(required) || (required?.kind === "scalar" && required.value === true);
    return isRequired && pattern !== "" && !pattern.endsWith("?");
  });

const hasSecondaryFiles = ({ node }: Named): boolean => !isNull(member(node, "secondaryFiles"));

/** The input of the main process whose value an input gets unchanged, through however many workflows. */
function mainInput(scope: Scope, name: string): Named | undefined {
  const { within, step } = scope;
  if (!within || !step) return inputsOf(scope.process).find(({ id }) => id === name);
  const link = namedItems(member(step.node, "in")).find(({ id }) => id === name)?.node;
  if (!link || member(link, "valueFrom")) return undefined;
  const [source, ...others] = itemsOf(link.kind === "map" ? member(link, "source") : link);
  const written = stringOf(source);
  if (written === undefined || others.length > 0) return undefined;
  const parts = written.slice(written.indexOf("#") + 1).split("/");
  const isStepOutput = parts.length > 1 && stepsOf(within.process).some(({ id }) => id === parts.at(-2));
  return isStepOutput ? undefined : mainInput(within, lastName(written));
}
