import { GetPullRequestCommand, PostCommentForPullRequestCommand } from "@aws-sdk/client-codecommit";
import { readableSize } from "../../kit/readable-size.ts";
import type { ReleaseEnvironment } from "../environment.ts";
import { checkRepository, type CheckReport } from "./check.ts";

export interface PullRequestCheck {
  readonly root: string;
  /** Whose repository it is. */
  readonly workflow: string;
  readonly repository: string;
  readonly pullRequest: string;
  readonly commit: string;
  readonly baseCommit: string;
}

/** Checks what a pull request would release and comments on it. @returns whether it may be merged */
export async function checkPullRequest({ clients, emit }: ReleaseEnvironment, check: PullRequestCheck): Promise<boolean> {
  const report = checkRepository(check.root, check.workflow);
  const markdown = commentOf(report);
  emit({ type: "note", text: markdown });
  if (check.pullRequest === "") return report.ok;
  const { pullRequest } = await clients.codecommit.send(new GetPullRequestCommand({ pullRequestId: check.pullRequest }));
  const target = pullRequest?.pullRequestTargets?.[0];
  await clients.codecommit.send(
    new PostCommentForPullRequestCommand({
      pullRequestId: check.pullRequest,
      repositoryName: check.repository,
      content: markdown,
      beforeCommitId: target?.destinationCommit ?? check.baseCommit,
      afterCommitId: check.commit,
      clientRequestToken: `omx-check-${check.pullRequest}-${check.commit}`,
    }),
  );
  return report.ok;
}

function commentOf(report: CheckReport): string {
  const { ok, name, version } = report;
  const title = ok ? `### omx: ${name} ${version} can be released` : "### omx: not releasable";
  return [title, "", ...problemsOf(report), ...(name === undefined ? [] : contentsOf(report)), ...findingsOf(report), ""].join("\n");
}

const problemsOf = ({ problems, tests = [] }: CheckReport): readonly string[] => [
  ...problems.flatMap(({ message, fix }) => ["```", message, "```", "", fix]),
  ...tests.flatMap(({ name, problems: wrong }) => wrong.map((problem) => `- ✗ test \`${name}\`: ${problem}`)),
];

function contentsOf({ engine, main, definition, parameters, images, tests = [] }: CheckReport): readonly string[] {
  const quoted = (names: readonly string[] = []) => names.map((name) => `\`${name}\``).join(", ") || "none";
  return [
    `- ${engine}, main file \`${main}\`, ${definition?.files} files, ${readableSize(definition?.bytes ?? 0)}`,
    `- ${parameters?.all} parameters, ${parameters?.required} of them required`,
    `- images to pull: ${quoted(images?.pulls)}; to build: ${quoted(images?.builds)}`,
    `- ${tests.length} test${tests.length === 1 ? "" : "s"}`,
  ];
}

const MAX_FINDINGS = 50;

const findingsOf = ({ diagnostics }: CheckReport): readonly string[] =>
  diagnostics
    .filter(({ severity }) => severity !== "info")
    .slice(0, MAX_FINDINGS)
    .map(({ file, line, message, rule, severity }) => `- ${severity === "error" ? "✗" : "⚠"} \`${file}:${line}\` ${message} [${rule}]`);
