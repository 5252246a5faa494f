import type { Core } from "../gateway/service.ts";
import type { Build } from "./store.ts";

/** Tells EventBridge what a build has become (codebuild/latest/userguide/sample-build-notifications.html). */
export function emitState(core: Core, build: Build): void {
  core.emit({
    account: build.account,
    region: build.region,
    source: "aws.codebuild",
    detailType: "CodeBuild Build State Change",
    resources: [build.arn],
    detail: {
      "build-status": build.buildStatus,
      "project-name": build.projectName,
      "build-id": build.arn,
      "current-phase": build.currentPhase,
      version: "1",
      "additional-information": {
        initiator: build.initiator,
        "build-number": build.buildNumber,
        "build-complete": build.buildStatus !== "IN_PROGRESS",
        "build-start-time": build.startTime,
        environment: {
          image: build.project.environment.image,
          type: build.project.environment.type,
          "privileged-mode": build.project.environment.privilegedMode ?? false,
        },
        logs: { "group-name": build.logs.group, "stream-name": build.logs.stream },
        phases: build.phases.map(({ phaseType, phaseStatus, startTime, endTime }) => ({
          "phase-type": phaseType,
          "phase-status": phaseStatus,
          "start-time": startTime,
          "end-time": endTime,
        })),
      },
    },
  });
}
