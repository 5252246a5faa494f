import type { Manifest } from "../manifest.ts";
import { settingAt } from "../config/settings.ts";
import type { Pipeline } from "../pipeline.ts";
import { report, sourceOf, type Project } from "../project.ts";
import type { SourceFile } from "../syntax/source-file.ts";

/** Nextflow's versions on HealthOmics in the order in which a range chooses (guide, "Version support"). */
const ENGINES = ["23.10.0", "22.04.0", "24.10.8", "25.10.0", "26.04.0"] as const;
export type EngineVersion = (typeof ENGINES)[number];

/** The plugins that are installed with each; none is ever fetched (guide, "Nextflow workflow definition specifics"). */
const PLUGINS: Readonly<Record<EngineVersion, Readonly<Record<string, string>>>> = {
  "22.04.0": {},
  "23.10.0": { "nf-validation": "1.1.1", "nf-schema": "2.3.0" },
  "24.10.8": { "nf-schema": "2.3.0" },
  "25.10.0": { "nf-schema": "2.6.1", "nf-core-utils": "0.4.0", "nf-prov": "1.7.0", "nf-fgbio": "1.0.1" },
  "26.04.0": { "nf-schema": "2.7.2", "nf-core-utils": "0.4.0", "nf-prov": "1.7.0", "nf-fgbio": "1.0.1" },
};

/**
 * The engine HealthOmics takes for a definition; undefined where it refuses to run it (a range with `!` that no
 * version of its list is in).
 */
export function engineFor(nextflowVersion: string | undefined, dsl: "DSL1" | "DSL2"): EngineVersion | undefined {
  if (dsl === "DSL1") return "22.04.0";
  const wanted = nextflowVersion?.trim() ?? "";
  const isBinding = wanted.startsWith("!");
  const conditions = wanted
    .replace(/^!/, "")
    .split(",")
    .map((each) => each.trim())
    .filter((each) => each !== "");
  const exact = ENGINES.find((version) => conditions.length === 1 && padded(conditions[0] ?? "") === padded(version));
  if (exact !== undefined) return exact;
  const fitting = conditions.length === 0 ? undefined : ENGINES.find((version) => conditions.every((each) => fits(version, each)));
  if (fitting !== undefined) return fitting;
  return isBinding ? undefined : "23.10.0";
}

const padded = (version: string): string =>
  /^\d+(\.\d+){0,2}$/.test(version) ? [...version.split("."), "0", "0"].slice(0, 3).map(Number).join(".") : version;

function fits(version: string, condition: string): boolean {
  const match = /^(>=|<=|>|<|!=|==?)?\s*v?(\d+(?:\.\d+)*)(?:\.x|\.\*)?(\+)?/.exec(condition);
  if (match?.[2] === undefined) return false;
  const operator = match[3] === "+" ? ">=" : (match[1] ?? (/\.[x*]$/.test(condition) ? "~" : "="));
  const order = compare(version, match[2]);
  switch (operator) {
    case ">=":
      return order >= 0;
    case "<=":
      return order <= 0;
    case ">":
      return order > 0;
    case "<":
      return order < 0;
    case "!=":
      return order !== 0;
    case "~":
      return version.startsWith(`${match[2]}.`);
    default:
      return order === 0;
  }
}

function compare(left: string, right: string): number {
  const [a, b] = [left.split(".").map(Number), right.split(".").map(Number)];
  for (let at = 0; at < Math.max(a.length, b.length); at++) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** What the engine's version, its plugins and the language's generation mean on HealthOmics. */
export function checkEngine(
  project: Project,
  pipeline: Pipeline,
  { manifest, dsl }: { readonly manifest: Manifest; readonly dsl: "DSL1" | "DSL2" },
): void {
  const { config, main } = pipeline;
  const engine = engineFor(manifest.nextflowVersion, dsl);
  if (dsl === "DSL1") {
    const message = "this is written in DSL1, which runs on Nextflow 22.04 alone, without HealthOmics's linter; move it to DSL2";
    report(project, { rule: "nextflow-dsl1", severity: "warning", file: main.file, offset: 0, message });
  }
  const setting = settingAt(config.root, "manifest", "nextflowVersion");
  const file = setting && sourceOf(project, setting.file);
  if (engine === undefined && setting !== undefined && file !== undefined) {
    const message =
      `nextflowVersion "${manifest.nextflowVersion}" admits none of ${[...ENGINES].sort().join(", ")}: ` +
      "a run ends with WORKFLOW_VER_VALIDATION_FAILED; widen the range";
    report(project, { rule: "nextflow-engine-version", severity: "error", file, offset: setting.offset, message });
  }
  for (const { id, file: at, offset } of config.plugins) checkPlugin(project, { id, file: at, offset }, engine ?? "23.10.0");
  checkFeatures(project, main.file, engine ?? "23.10.0");
}

interface Plugin {
  readonly id: string;
  readonly file: SourceFile;
  readonly offset: number;
}

function checkPlugin(project: Project, { id, file, offset }: Plugin, engine: EngineVersion): void {
  const [name = id, version] = id.split("@");
  const installed = Object.hasOwn(PLUGINS[engine], name) ? PLUGINS[engine][name] : undefined;
  if (installed === undefined) {
    const has = Object.entries(PLUGINS[engine]).map(([each, at]) => `${each} ${at}`);
    const message =
      `the plugin ${name} is not installed with Nextflow ${engine} on HealthOmics, which fetches none; ` +
      (has.length > 0 ? `there are ${has.join(", ")}` : "no plugin is there");
    return report(project, { rule: "nextflow-plugin", severity: "error", file, offset, message });
  }
  if (version === undefined || version === installed) return;
  const message = `HealthOmics runs ${name} ${installed} with Nextflow ${engine}, whatever version is asked for; write ${name}@${installed} and test with it`;
  report(project, { rule: "nextflow-plugin-version", severity: "warning", file, offset, message });
}

function checkFeatures(project: Project, file: SourceFile, engine: EngineVersion): void {
  for (const statement of file.statements) {
    if (
      statement.kind === "include" &&
      engine === "22.04.0" &&
      statement.from.kind === "literal" &&
      String(statement.from.value).startsWith("plugin/")
    ) {
      const message = 'Nextflow 22.04 ends here with "Module path must start with / or ./": it includes nothing from plugins';
      report(project, { rule: "nextflow-plugin", severity: "error", file, offset: statement.start, message });
    }
    const target = statement.kind === "expression" && statement.expression.kind === "assignment" ? statement.expression.target : undefined;
    const name = target === undefined ? "" : file.text.slice(target.start, target.end);
    if (/^nextflow\.preview\.(?!dsl$)/.test(name)) {
      const message = `${name} is a preview feature; HealthOmics has none of them`;
      report(project, { rule: "nextflow-preview", severity: "warning", file, offset: statement.start, message });
    }
  }
}
