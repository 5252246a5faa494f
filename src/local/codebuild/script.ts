import { type BuildSpec, type Phase, PHASES, type PhaseName } from "./buildspec.ts";

/** Files through which a build tells how it goes; it can be followed again after a restart of the local accounts. */
export interface BuildFiles {
  /** A line for each event: `START build`, `END build 0 -` (exit status, number of the command that failed), `EXIT 0`. */
  readonly status: string;
  /** A folder where exported variables are written at the end, a file for each. */
  readonly exported: string;
}

/**
 * One script of POSIX shell for all phases: one shell, so that variables and the working directory survive from command
 * to command (0.1: a shell for each command). A failed command ends its phase; which phases follow is AWS's to say.
 * @see https://docs.aws.amazon.com/codebuild/latest/userguide/view-build-details-phases.html
 */
export function renderScript(spec: BuildSpec, files: BuildFiles): string {
  const lines = [
    `__omx_event() { printf '%s\\n' "$*" >> ${quote(files.status)}; }`,
    // The first exit status that was not 0, and what the next phases may do: all, post (post_build alone), none.
    "__omx_failed=0 __omx_next=all",
    "trap '__omx_code=$?; __omx_event EXIT $__omx_code' EXIT",
    ...PHASES.flatMap((name) => phaseLines(spec, name)),
    `mkdir -p ${quote(files.exported)}`,
    ...spec.exportedVariables
      .filter((name) => /^[A-Za-z_]\w*$/.test(name))
      .map((name) => `printf '%s' "\${${name}-}" > ${quote(`${files.exported}/${name}`)}`),
    "exit $__omx_failed",
  ];
  return `${lines.join("\n")}\n`;
}

function phaseLines(spec: BuildSpec, name: PhaseName): string[] {
  const phase = spec.phases[name];
  if (!phase) return [];
  const runs = name === "post_build" ? '[ "$__omx_next" != none ]' : '[ "$__omx_next" = all ]';
  const command = (text: string, index: number): string => commandLine(spec, text, index);
  return [
    `if ${runs}; then`,
    `  __omx_event START ${name}`,
    "  __omx_rc=0 __omx_bad=-",
    ...phase.commands.map(command),
    ...(phase.finally.length === 0
      ? []
      : [
          "  __omx_kept=$__omx_rc __omx_kept_bad=$__omx_bad __omx_rc=0",
          ...phase.finally.map((text, index) => command(text, phase.commands.length + index)),
          '  [ "$__omx_kept" = 0 ] || { __omx_rc=$__omx_kept; __omx_bad=$__omx_kept_bad; }',
        ]),
    `  __omx_event END ${name} $__omx_rc $__omx_bad`,
    `  [ "$__omx_rc" = 0 ] || { ${afterFailure(name, phase)}; }`,
    "fi",
  ];
}

function commandLine({ version }: BuildSpec, text: string, index: number): string {
  const run = version === "0.1" ? '( eval "$__omx_command" )' : 'eval "$__omx_command"';
  const failed = `{ __omx_bad=${index}; export CODEBUILD_BUILD_SUCCEEDING=0; printf '[Container] Command did not exit successfully %s exit status %s\\n' "$__omx_command" "$__omx_rc"; }`;
  return `  [ "$__omx_rc" = 0 ] && { __omx_command=${quote(text)}; printf '[Container] Running command %s\\n' "$__omx_command"; ${run}; __omx_rc=$?; [ "$__omx_rc" = 0 ] || ${failed}; }`;
}

const afterFailure = (name: PhaseName, phase: Phase): string =>
  `[ "$__omx_failed" != 0 ] || __omx_failed=$__omx_rc; __omx_next=${nextAfterFailure(name, phase)}`;

/** Without `on-failure` a failed build is followed by post_build alone, and any other failed phase by nothing. */
function nextAfterFailure(name: PhaseName, { onFailure }: Phase): string {
  if (onFailure === "CONTINUE") return "$__omx_next";
  return onFailure === undefined && name === "build" ? "post" : "none";
}

/** The command of a phase with this number, counted over `commands` and `finally`. */
export const commandAt = (phase: Phase | undefined, index: number): string | undefined =>
  [...(phase?.commands ?? []), ...(phase?.finally ?? [])][index];

/** A text as one word of a shell. */
export const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
