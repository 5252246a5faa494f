import {
  CloudFormationClient,
  CreateStackCommand,
  type CreateStackCommandInput,
  DescribeStacksCommand,
  type Stack,
  waitUntilStackCreateComplete,
} from "@aws-sdk/client-cloudformation";
import { S3Client } from "@aws-sdk/client-s3";
import { SSMClient } from "@aws-sdk/client-ssm";
import { startAccounts, type TestAccounts } from "../../testing/accounts.ts";

/** Local accounts whose CloudFormation makes buckets and parameters. */
export interface StackLab extends AsyncDisposable {
  readonly accounts: TestAccounts;
  readonly cloudformation: CloudFormationClient;
  readonly s3: S3Client;
  readonly ssm: SSMClient;
  /** What the SDK's waiters need. */
  readonly waiting: {
    readonly client: CloudFormationClient;
    readonly maxWaitTime: number;
    readonly minDelay: number;
    readonly maxDelay: number;
  };
  /** Creates a stack and waits for it. @throws Error when it does not come to CREATE_COMPLETE */
  create(StackName: string, template: object, more?: Partial<CreateStackCommandInput>): Promise<void>;
  /** @throws ValidationError */
  stackOf(StackName: string): Promise<Stack>;
}

export async function openStackLab(): Promise<StackLab> {
  const accounts = await startAccounts();
  const cloudformation = new CloudFormationClient(accounts.config());
  const waiting = { client: cloudformation, maxWaitTime: 20, minDelay: 0.05, maxDelay: 0.1 };
  return {
    accounts,
    cloudformation,
    s3: new S3Client(accounts.config()),
    ssm: new SSMClient(accounts.config()),
    waiting,
    async create(StackName, template, more = {}) {
      await cloudformation.send(new CreateStackCommand({ StackName, TemplateBody: body(template), ...more }));
      await waitUntilStackCreateComplete(waiting, { StackName });
    },
    stackOf: async (StackName) => (await cloudformation.send(new DescribeStacksCommand({ StackName }))).Stacks![0]!,
    [Symbol.asyncDispose]: () => accounts[Symbol.asyncDispose](),
  };
}

let count = 0;
/** A name that no other stack of the file has. */
export const fresh = (): string => `stack-${++count}`;

export const bucket = (Properties: object = {}, more: object = {}) => ({ Type: "AWS::S3::Bucket", Properties, ...more });
export const parameter = (Properties: object) => ({ Type: "AWS::SSM::Parameter", Properties: { Type: "String", ...Properties } });
export const body = (template: object): string => JSON.stringify(template);

/** What a request was refused with: `ValidationError: …`, or `accepted`. */
export const refusal = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "accepted",
    (error: Error) => `${error.name}: ${error.message}`,
  );
