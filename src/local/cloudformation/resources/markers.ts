import type { ResourceProvider } from "../resource-provider.ts";

const nothing = { replaceOn: [], attributes: [] as readonly string[], delete: () => Promise.resolve() } as const;

/** The CDK's mark of which constructs made a template: nothing is made of it. */
export const cdkMetadata: ResourceProvider = {
  ...nothing,
  type: "AWS::CDK::Metadata",
  properties: { Analytics: "string" },
  create: (request) => Promise.resolve({ physicalId: request.suggestedName(64), attributes: {} }),
  update: ({ physicalId }) => Promise.resolve({ physicalId, attributes: {} }),
};

/** An address that wait conditions are signalled at. There are no wait conditions here: templates use it as an empty resource. */
export const waitConditionHandle: ResourceProvider = {
  ...nothing,
  type: "AWS::CloudFormation::WaitConditionHandle",
  properties: {},
  create: ({ stack, logicalId, token }) =>
    Promise.resolve({
      physicalId: `https://cloudformation-waitcondition-${stack.region}.s3.amazonaws.com/${encodeURIComponent(stack.id)}/${logicalId}/${token}`,
      attributes: {},
    }),
  update: ({ physicalId }) => Promise.resolve({ physicalId, attributes: {} }),
};
