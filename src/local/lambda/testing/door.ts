import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import {
  CreateFunctionCommand,
  type CreateFunctionCommandInput,
  InvokeCommand,
  type InvokeCommandInput,
  LambdaClient,
} from "@aws-sdk/client-lambda";
import { strToU8, zipSync } from "fflate";
import type { TestAccounts } from "../../testing/accounts.ts";

export const document = (...Statement: object[]) => JSON.stringify({ Version: "2012-10-17", Statement });
export const allow = (Action: unknown, Resource: unknown = "*") => ({ Effect: "Allow", Action, Resource });

/** A ZIP of text files. */
export const zip = (files: Readonly<Record<string, string>>): Uint8Array =>
  zipSync(Object.fromEntries(Object.entries(files).map(([name, text]) => [name, strToU8(text)])));

let count = 0;
export const fresh = (kind: string) => `${kind}-${++count}`;

/** What an invocation gave, read. */
export interface Answer {
  readonly payload: unknown;
  readonly error: string | undefined;
  readonly log: string;
  readonly status: number | undefined;
}

/** What tests of Lambda do again and again, against accounts that may restart under them. */
export class Door {
  readonly #accounts: () => TestAccounts;
  constructor(accounts: () => TestAccounts) {
    this.#accounts = accounts;
  }

  lambda = (profile: "cicd" | "developer" | "production" = "cicd") => new LambdaClient(this.#accounts().config(profile));

  /** A role that Lambda may take; it may write logs unless other statements are given. */
  role = async (...statements: object[]): Promise<string> => {
    const iam = new IAMClient(this.#accounts().config());
    const RoleName = fresh("role");
    const { Role } = await iam.send(
      new CreateRoleCommand({
        RoleName,
        AssumeRolePolicyDocument: document({ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }),
      }),
    );
    await iam.send(
      new PutRolePolicyCommand({
        RoleName,
        PolicyName: "p",
        PolicyDocument: document(...(statements.length > 0 ? statements : [allow("logs:*")])),
      }),
    );
    return Role!.Arn!;
  };

  create = async (files: Readonly<Record<string, string>>, more: Partial<CreateFunctionCommandInput> = {}) => {
    const FunctionName = fresh("function");
    const input = {
      FunctionName,
      Runtime: "nodejs24.x" as const,
      Handler: "index.handler",
      Timeout: 20,
      Role: more.Role ?? (await this.role()),
      Code: { ZipFile: zip(files) },
      ...more,
    };
    return (await this.lambda().send(new CreateFunctionCommand(input))).FunctionName!;
  };

  /** A Node function whose handler is this body. */
  node = (body: string, more: Partial<CreateFunctionCommandInput> = {}) =>
    this.create({ "index.mjs": `export const handler = async (event, context) => { ${body} };` }, more);

  /** A Python function of this module. */
  python = (source: string, more: Partial<CreateFunctionCommandInput> = {}) =>
    this.create({ "index.py": source }, { Runtime: "python3.12", ...more });

  invoke = async (FunctionName: string, event: unknown = {}, more: Partial<InvokeCommandInput> = {}): Promise<Answer> => {
    const input = { FunctionName, Payload: Buffer.from(JSON.stringify(event)), LogType: "Tail" as const, ...more };
    const { Payload, FunctionError, LogResult, StatusCode } = await this.lambda().send(new InvokeCommand(input));
    // The SDK gives null where the body is empty.
    const text = Payload ? Buffer.from(Payload).toString("utf8") : undefined;
    return {
      payload: text === undefined ? undefined : JSON.parse(text),
      error: FunctionError,
      log: Buffer.from(LogResult ?? "", "base64").toString("utf8"),
      status: StatusCode,
    };
  };
}
