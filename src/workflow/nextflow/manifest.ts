import type { Place } from "../inspection.ts";
import type { Config } from "./config/read-config.ts";
import { settingAt, type Setting } from "./config/settings.ts";
import { sourceOf, type Project } from "./project.ts";
import { numeric, textOf } from "./evaluate/values.ts";
import { placeOf, type SourceFile } from "./syntax/source-file.ts";
import { definedIn } from "./script/defined-in.ts";
import { walk } from "./syntax/walk.ts";

/** What `manifest` says, in whichever form and quotes. */
export interface Manifest {
  readonly name?: string;
  readonly version?: string;
  readonly versionAt?: Place;
  readonly nextflowVersion?: string;
}

/** Reads the manifest. */
export function readManifest(project: Project, config: Config): Manifest {
  const name = manifestText(project, settingAt(config.root, "manifest", "name"));
  const setting = settingAt(config.root, "manifest", "version");
  const version = manifestText(project, setting);
  const nextflowVersion = manifestText(project, settingAt(config.root, "manifest", "nextflowVersion"));
  const file = setting && sourceOf(project, setting.file);
  return {
    ...(name !== undefined && { name }),
    ...(version !== undefined && { version }),
    ...(version !== undefined && file && { versionAt: { file: file.path, ...placeOf(file.text, setting.offset) } }),
    ...(nextflowVersion !== undefined && { nextflowVersion }),
  };
}

/** A setting as text; a number as it is written, `1.0` and not `1`. */
function manifestText(project: Project, setting: Setting | undefined): string | undefined {
  const choice = setting?.choices[0];
  if (setting === undefined || choice === undefined) return undefined;
  if (numeric(choice.value) === undefined) return textOf(choice.value);
  const text = sourceOf(project, setting.file)?.text ?? "";
  return /^[\d._]+/.exec(text.slice(choice.offset, choice.offset + 40))?.[0] ?? textOf(choice.value);
}

/** "DSL1" where the script says so, or where its processes read `from` and write `into` channels. */
export function dslOf(main: SourceFile): "DSL1" | "DSL2" {
  let declared: unknown;
  let isOld = false;
  for (const statement of definedIn(main.statements)) {
    if (statement.kind === "workflow") return "DSL2";
    const expr = statement.kind === "expression" && statement.expression.kind === "assignment" ? statement.expression : undefined;
    if (
      expr?.value.kind === "literal" &&
      /^nextflow\s*\.\s*(?:enable|preview)\s*\.\s*dsl$/.test(main.text.slice(expr.target.start, expr.target.end))
    )
      declared = expr.value.value;
    if (statement.kind === "process") {
      walk(statement.body, (each) => {
        if (each.kind === "call" && each.callee.kind === "property" && (each.callee.name === "into" || each.callee.name === "from"))
          isOld = true;
      });
    }
  }
  return declared === 1 || (declared === undefined && isOld) ? "DSL1" : "DSL2";
}
