/** Files that HealthOmics cannot read, or loses. */
import type { Declaration, Expression, Finding, Task, Workflow, WorkflowElement } from "../ast.ts";
import { inputsOf } from "../interface.ts";
import type { Type } from "../types.ts";

/** Defaults that are files of another cloud, of the web or of a disk. */
export function lintFileDefaults(unit: Task | Workflow): readonly Finding[] {
  const body = unit.kind === "workflow" ? declarationsIn(unit.body) : [];
  return [...new Set([...inputsOf(unit), ...body])].flatMap(({ name, type, value }) => {
    if (!value || !isFile(type)) return [];
    return textsIn(value)
      .filter(({ text }) => FOREIGN.test(text))
      .map(({ text, start, end }) => ({
        rule: "wdl-remote-default",
        message: `"${name}" is "${text}" by default, which HealthOmics cannot read: it takes s3:// and omics:// addresses`,
        start,
        end,
      }));
  });
}

/** An address that is neither of S3 nor of HealthOmics, or an absolute path. */
const FOREIGN = /^(?:(?!s3:|omics:|file:)[a-z][a-z0-9+.-]*:\/\/|file:|\/)/i;

/** Files that a task leaves outside of its working directory. */
export function lintOutput({ type, value }: Declaration): readonly Finding[] {
  if (!value || !isFile(type)) return [];
  return textsIn(value)
    .filter(({ text }) => text.startsWith("/"))
    .map(({ text, start, end }) => ({
      rule: "wdl-output-outside",
      message: `"${text}…" is not in the task's working directory`,
      start,
      end,
    }));
}

const isFile = (type: Type): boolean => type.kind === "File" || type.kind === "Directory" || (type.kind === "Array" && isFile(type.item));

interface Text {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** How the strings begin that a value is, lists, or globs. */
function textsIn(value: Expression): readonly Text[] {
  const { start, end } = value;
  if (value.kind === "array") return value.items.flatMap(textsIn);
  if (value.kind === "apply") return value.name === "glob" ? value.arguments.flatMap(textsIn) : [];
  const [first] = value.kind === "string" ? value.parts : [];
  return typeof first === "string" ? [{ text: first, start, end }] : [];
}

const declarationsIn = (body: readonly WorkflowElement[]): readonly Declaration[] =>
  body.flatMap((element) => {
    if (element.kind === "declaration") return [element];
    return element.kind === "call" ? [] : declarationsIn(element.body);
  });
