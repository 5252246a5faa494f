import type { ActionDeclaration, GitBranchFilterCriteria, GitConfiguration, GitPullRequestEventType } from "@aws-sdk/client-codepipeline";
import picomatch from "picomatch";
import type { AwsEvent, Core } from "../gateway/service.ts";
import { connectedRepository } from "./connections.ts";
import type { Engine } from "./engine.ts";
import { isComplete } from "./pipeline-variables.ts";
import { startExecution } from "./start.ts";
import type { PipelineRecord, Store } from "./store.ts";

/** A change of a repository, as a connection tells it. */
type Change =
  | { readonly kind: "branch" | "tag"; readonly repository: string; readonly name: string; readonly commit: string }
  | {
      readonly kind: "pullRequest";
      readonly repository: string;
      readonly event: GitPullRequestEventType;
      readonly target: string;
      readonly commit: string;
    };

/** Starts the pipelines whose source behind a connection has changed: what the connection's webhook does on AWS. */
export function connectedTriggers(core: Core, store: Store, engine: Engine): (event: AwsEvent) => void {
  return (event) => {
    const change = changeOf(event);
    if (!change) return;
    const { account, region } = event;
    for (const { value: record } of store.pipelines.list([account, region])) {
      const source = sourcesOf(record).find((action) => startsBy(record, action, change));
      if (!source || !isComplete(record.declaration)) continue;
      const trigger = { triggerType: "WebhookV2", triggerDetail: source.configuration?.["ConnectionArn"] ?? "" };
      startExecution(core, store, { record, trigger, revisions: { [source.name ?? ""]: change.commit } });
      queueMicrotask(() => engine.advance({ account, region, name: record.declaration.name }));
    }
  };
}

const PULL_REQUEST_EVENTS: Readonly<Record<string, GitPullRequestEventType>> = {
  pullRequestCreated: "OPEN",
  pullRequestSourceBranchUpdated: "UPDATED",
  pullRequestStatusChanged: "CLOSED",
  pullRequestMergeStatusUpdated: "CLOSED",
};

function changeOf({ source, detail }: AwsEvent): Change | undefined {
  if (source !== "aws.codecommit") return undefined;
  const told = detail as Readonly<Record<string, string>> & { readonly repositoryNames?: readonly string[] };
  const {
    event = "",
    commitId: commit,
    repositoryName: repository = "",
    referenceName: name = "",
    destinationReference = "",
    sourceCommit = "",
  } = told;
  const pullRequest = PULL_REQUEST_EVENTS[event];
  if (pullRequest)
    return {
      kind: "pullRequest",
      repository: told.repositoryNames?.[0] ?? "",
      event: pullRequest,
      target: destinationReference.replace(/^refs\/heads\//, ""),
      commit: sourceCommit,
    };
  if (commit === undefined || !/^reference(Created|Updated)$/.test(event)) return undefined;
  return { kind: told["referenceType"] === "tag" ? "tag" : "branch", repository, name, commit };
}

const sourcesOf = ({ declaration }: PipelineRecord): readonly ActionDeclaration[] =>
  (declaration.stages?.[0]?.actions ?? []).filter(({ actionTypeId }) => actionTypeId?.provider === "CodeStarSourceConnection");

/** Triggers of a V2 pipeline decide where it has any for this source; else every push to the source's branch counts. */
function startsBy({ declaration }: PipelineRecord, { name, configuration = {} }: ActionDeclaration, change: Change): boolean {
  if (connectedRepository(configuration["FullRepositoryId"] ?? "") !== change.repository) return false;
  const triggers = (declaration.triggers ?? []).flatMap(({ gitConfiguration }) =>
    gitConfiguration && gitConfiguration.sourceActionName === name ? [gitConfiguration] : [],
  );
  if (triggers.length > 0) return triggers.some((trigger) => fits(trigger, change));
  return configuration["DetectChanges"] !== "false" && change.kind === "branch" && change.name === configuration["BranchName"];
}

function fits({ push = [], pullRequest = [] }: GitConfiguration, change: Change): boolean {
  if (change.kind === "pullRequest")
    return pullRequest.some(({ events, branches }) => (events?.includes(change.event) ?? true) && matches(branches, change.target));
  return push.some(({ branches, tags }) =>
    change.kind === "tag" ? tags !== undefined && matches(tags, change.name) : branches !== undefined && matches(branches, change.name),
  );
}

/** Globs; what is excluded is out, whatever includes it (codepipeline/latest/userguide/syntax-glob.html). */
const matches = ({ includes, excludes = [] }: GitBranchFilterCriteria = {}, name: string): boolean =>
  !excludes.some((glob) => picomatch.isMatch(name, glob)) && (includes?.some((glob) => picomatch.isMatch(name, glob)) ?? true);
