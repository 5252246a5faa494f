import type { Place } from "../../release/project/deploy-config.ts";
import { type Acknowledgement, paths, resource, type Reviewed, within } from "./finding.ts";

/** Logs, whose streams are named when something runs. */
export function logStreams(reviewed: Reviewed): readonly Acknowledgement[] {
  const { cicd, production, workflow } = reviewed;
  const { wf, prod } = paths(reviewed);
  const own = (place: Place, group: string, at: string): Acknowledgement => ({
    finding: resource(`arn:<AWS::Partition>:logs:${within(place)}:log-group:${group}:*`),
    at: [at],
    reason: "The streams of the one log group that is this role's own; their names are made when it runs.",
  });
  const runs = (place: Place, at: string): Acknowledgement => ({
    finding: resource(`arn:aws:logs:${within(place)}:log-group:/aws/omics/WorkflowLog:*`),
    at: [at],
    reason: "HealthOmics writes the logs of all runs to this one group, a stream for each run and task.",
  });
  return [
    own(cicd, "/aws/lambda/omx-judge-tests", "omx-cicd/Judge"),
    own(cicd, "/aws/lambda/omx-plan-images", "omx-containers/PlanImages"),
    own(cicd, "/aws/lambda/omx-pull-image", "omx-containers/PullImage"),
    own(cicd, "/aws/lambda/omx-build-image", "omx-containers/BuildImage"),
    own(cicd, "/aws/lambda/omx-repository-policy", "omx-containers/RepositoryPolicy"),
    own(cicd, "/aws/codebuild/omx-image-build", "omx-containers/ImageBuild"),
    own(cicd, "/aws/codebuild/omx-image-pull", "omx-containers/ImagePull"),
    ...[
      ["omx-image-build", "BuildImage"],
      ["omx-image-pull", "PullImage"],
    ].map(([project, handler]): Acknowledgement => ({
      finding: resource(`arn:aws:logs:${within(cicd)}:log-group:/aws/codebuild/${project}:log-stream:*`),
      at: [`omx-containers/${handler}`],
      reason: "The last lines of a build that failed, whose stream is named when it runs; reading only.",
    })),
    own(cicd, `/aws/codebuild/omx-${workflow}-checks`, `${wf}/Checks`),
    own(cicd, `/aws/codebuild/omx-${workflow}-build`, `${wf}/Build`),
    own(cicd, `/aws/codebuild/omx-${workflow}-promote`, `${wf}/Promote`),
    own(production, "/aws/lambda/omx-verify-bundle", `${prod}/Verify`),
    own(production, "/aws/codebuild/omx-release", `${prod}/Release`),
    runs(cicd, "omx-cicd/RunRole"),
    runs(production, `${prod}/RunRole`),
  ];
}
