import { GetPullRequestCommand, PostCommentForPullRequestCommand } from "@aws-sdk/client-codecommit";
import type { Diagnostic } from "../../workflow/inspection.ts";
import type { ReleaseEnvironment } from "../environment.ts";
import { ReleaseError } from "../errors.ts";
import { type Project, readProject } from "./project.ts";
import { packageDefinition } from "../publish/package.ts";

export interface PullRequestCheck {
  readonly root: string;
  readonly repository: string;
  readonly pullRequest: string;
  readonly commit: string;
  readonly baseCommit: string;
}

/** Checks what a pull request would release and comments on it. @returns whether it may be merged */
export async function checkPullRequest({ clients, emit }: ReleaseEnvironment, check: PullRequestCheck): Promise<boolean> {
  const { passed, markdown } = checkRepository(check.root);
  emit({ type: "note", text: markdown });
  if (check.pullRequest === "") return passed;
  const { pullRequest } = await clients.codecommit.send(new GetPullRequestCommand({ pullRequestId: check.pullRequest }));
  const target = pullRequest?.pullRequestTargets?.[0];
  await clients.codecommit.send(new PostCommentForPullRequestCommand({
    pullRequestId: check.pullRequest, repositoryName: check.repository, content: markdown,
    beforeCommitId: target?.destinationCommit ?? check.baseCommit, afterCommitId: check.commit,
    clientRequestToken: `omx-check-${check.pullRequest}-${check.commit}`,
  }));
  return passed;
}

/** All that can be known before a release, as Markdown. */
export function checkRepository(root: string): { readonly passed: boolean; readonly markdown: string } {
  try {
    const project = readProject(root);
    const packed = packageDefinition(project);
    return { passed: true, markdown: summaryOf(project, packed) };
  } catch (error) {
    if (!(error instanceof ReleaseError)) throw error;
    return { passed: false, markdown: `### omx: not releasable\n\n\`\`\`\n${error.message}\n\`\`\`\n\n${error.fix}\n` };
  }
}

function summaryOf({ config, inspection, parameterTemplate }: Project, packed: { readonly zip: Uint8Array; readonly files: readonly string[] }): string {
  const parameters = Object.entries(parameterTemplate);
  const required = parameters.filter(([, entry]) => !entry.optional).length;
  const images = [...new Set(inspection.images.map((use) => use.image))];
  return [
    `### omx: ${config.name} ${config.version} can be released`, "",
    `- ${inspection.engine} ${inspection.languageVersion ?? ""}, main file \`${inspection.main}\`, ${packed.files.length} files, ${(packed.zip.byteLength / 1000).toFixed(1)} kB`,
    `- ${parameters.length} parameters, ${required} of them required`,
    `- ${images.length} images: ${images.map((image) => `\`${image}\``).join(", ") || "none"}`,
    `- ${config.tests.length} tests`,
    ...warnings(inspection.diagnostics), "",
  ].join("\n");
}

const warnings = (diagnostics: readonly Diagnostic[]): string[] =>
  diagnostics.filter(({ severity }) => severity === "warning").slice(0, 50).map(({ file, line, message, rule }) => `- ⚠ \`${file}:${line}\` ${message} [${rule}]`);
