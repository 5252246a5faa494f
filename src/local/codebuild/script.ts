import { type BuildSpec, PHASES, type PhaseName } from "./buildspec.ts";

/** Files through which a build tells how it goes; it can be followed again after a restart of the local accounts. */
export interface BuildFiles {
  /** A line for each event: `START build 1763700000`, `END build 0 1763700003`, `EXIT 0`. */
  readonly status: string;
  /** Where exported variables are written at the end, `NAME=value` in bash's quoting. */
  readonly exported: string;
}

/**
 * One bash script for all phases: one shell, so that variables and the working directory survive from command to
 * command. A failed command ends its phase; post_build runs after a failed build all the same.
 */
export function renderScript(spec: BuildSpec, files: BuildFiles): string {
  const lines = [
    `__omx_event() { printf '%s\\n' "$*" >> ${quote(files.status)}; }`,
    "__omx_failed=0",
    "trap '__omx_code=$?; __omx_event EXIT $__omx_code' EXIT",
  ];
  for (const name of PHASES) lines.push(...phaseLines(spec, name));
  for (const name of spec.exportedVariables) lines.push(`printf '%s=%q\\n' ${quote(name)} "\${${name}:-}" >> ${quote(files.exported)}`);
  lines.push("exit $__omx_failed");
  return `${lines.join("\n")}\n`;
}

function phaseLines(spec: BuildSpec, name: PhaseName): string[] {
  const phase = spec.phases[name];
  if (!phase) return [];
  // Only post_build runs after a failure, and only after one in build (codebuild/latest/userguide/view-build-details-phases.html).
  const runs = name === "post_build" ? '[ "$__omx_failed" = 0 ] || [ "$__omx_at" = build ]' : '[ "$__omx_failed" = 0 ]';
  const commands = (texts: readonly string[]) => texts.map((text) => `  [ "$__omx_rc" = 0 ] && { __omx_command=${quote(text)}; printf '[Container] Running command %s\\n' "$__omx_command"; eval "$__omx_command"; __omx_rc=$?; [ "$__omx_rc" = 0 ] || printf '[Container] Command did not exit successfully %s exit status %s\\n' "$__omx_command" "$__omx_rc"; }`);
  const last = phase.finally.length > 0 ? ["  __omx_kept=$__omx_rc; __omx_rc=0", ...commands(phase.finally), '  [ "$__omx_kept" = 0 ] || __omx_rc=$__omx_kept'] : [];
  return [
    `if ${runs}; then`,
    `  [ "$__omx_failed" = 0 ] && __omx_at=${name}`,
    `  __omx_event START ${name} $(date +%s)`,
    "  __omx_rc=0",
    ...commands(phase.commands),
    ...last,
    `  __omx_event END ${name} $__omx_rc $(date +%s)`,
    ...(phase.onFailure === "CONTINUE" ? [] : ['  [ "$__omx_rc" = 0 ] || __omx_failed=$__omx_rc']),
    "fi",
  ];
}

/** A text as one word of bash. */
export const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
