import type { PathHandler } from "../gateway/service.ts";
import type { CloudFormation } from "./cloudformation.ts";
import type { ResourceProvider } from "./resource-provider.ts";
import { customResource } from "./resources/custom-resource.ts";
import { cdkMetadata, waitConditionHandle } from "./resources/markers.ts";
import { nestedStack } from "./resources/nested-stack.ts";
import { openResponses } from "./resources/responses.ts";

/** CloudFormation's own types, and where custom resources answer. */
export function cloudformationResources(cloudformation: Pick<CloudFormation, "core" | "store">): {
  readonly providers: readonly ResourceProvider[];
  readonly responses: PathHandler;
} {
  const responses = openResponses(cloudformation.core);
  return {
    responses,
    providers: [
      customResource("Custom::*", responses),
      customResource("AWS::CloudFormation::CustomResource", responses),
      nestedStack(cloudformation),
      cdkMetadata,
      waitConditionHandle,
    ],
  };
}
