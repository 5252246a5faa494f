import { describeFirstStart as sayFirstStart, isUnpushed, sourceErrorIn } from "../../release/first-start.ts";
import type { ActionStep, ReleaseState } from "./pipeline.ts";

const MARKS: Readonly<Record<string, string>> = { Succeeded: "✓", Failed: "✗", InProgress: "…", Abandoned: "–" };

/** One action as a line: how it stands, how long it took, what it says. */
export function describeStep({ stage, action, status, seconds, summary, error }: ActionStep): string {
  const name = stage === action ? stage : `${stage}: ${action}`;
  const said = error ?? summary;
  return `  ${MARKS[status] ?? "?"} ${name.padEnd(20)} ${(seconds === undefined ? status : `${seconds.toFixed(1)} s`).padEnd(11)}${said ? ` ${said}` : ""}`.trimEnd();
}

/** A release as lines. */
export function describeRelease(release: ReleaseState): readonly string[] {
  if (release.isFirstStart) return describeFirstStart(release);
  const { workflow, pipelineExecutionId, status, commit, message, actions, approval } = release;
  return [
    `${workflow} ${pipelineExecutionId} ${status}${commit ? `, commit ${commit.slice(0, 12)}` : ""}${message ? `: ${message}` : ""}`,
    ...actions.map(describeStep),
    ...(approval
      ? [
          "  waits for an approval:",
          ...(approval.link ? [`    look at   ${approval.link}`] : []),
          `    then      omx release approve ${workflow} --comment "…"`,
        ]
      : []),
  ];
}

/** What the source said may be more than that its branch is not there: a connection that nobody has confirmed. */
export function describeFirstStart({ workflow, pipelineExecutionId, actions }: ReleaseState): readonly string[] {
  const said = sourceErrorIn(actions);
  return [
    `${workflow} ${pipelineExecutionId}: ${sayFirstStart(said)}`,
    ...actions.flatMap(({ action, error }) => (error && (isUnpushed(said) || error !== said) ? [`  ${action}: ${error}`] : [])),
  ];
}

/** Without the token: it is what approves. */
export function releaseJson({ approval, ...release }: ReleaseState): object {
  return { ...release, ...(approval && { approval: { waiting: true, ...(approval.link && { link: approval.link }) } }) };
}
