import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { errors, operations } from "../../model/generated/tables.ts";
import { validate, type OperationName } from "../../model/validate.ts";
import { startAccounts, type TestAccounts } from "../testing/accounts.ts";
import { pythonWithBoto3 } from "./testing/boto.ts";
import { type GeneratedRequest, isServed, names, requestsOf } from "./testing/generated-requests.ts";
import { requestOf, sendRaw, type RawAnswer } from "./testing/raw.ts";

// For each operation requests that the model accepts and requests that it refuses, sent without an SDK's own validation.

const ROUNDS = 50;
/** Their only members are a text in the path that the model lets be anything. */
const CANT_BE_WRONG = ["AcceptShare", "DeleteShare", "GetShare"];

let accounts: TestAccounts;
beforeAll(async () => {
  accounts = await startAccounts();
});
afterAll(() => accounts[Symbol.asyncDispose]());

const send = (operation: OperationName, input: GeneratedRequest): Promise<RawAnswer> => sendRaw(accounts, requestOf(operation, input));
const shown = (operation: string, input: GeneratedRequest, answer: RawAnswer): string =>
  `${operation} ${JSON.stringify(input).slice(0, 2000)} → ${answer.status} ${answer.body.slice(0, 500)}`;

describe(`${ROUNDS} valid and ${ROUNDS} invalid requests`, () => {
  test.each(names)("%s", async (operation) => {
    const { valid, invalid } = requestsOf(operation, ROUNDS);
    expect(invalid.length).toBe(CANT_BE_WRONG.includes(operation) ? 0 : ROUNDS);
    for (const input of valid) {
      const answer = await send(operation, input);
      const context = shown(operation, input, answer);
      if (!isServed(operation)) expect([answer.status, answer.type], context).toEqual([501, "NotImplemented"]);
      else
        expect(answer.status === operations[operation].status || (answer.status < 500 && (answer.type ?? "") in errors), context).toBe(
          true,
        );
      expect(answer.body, context).not.toMatch(/validation errors? detected/);
    }
    for (const input of invalid) {
      const answer = await send(operation, input);
      const context = shown(operation, input, answer);
      expect([answer.status, answer.type], context).toEqual([400, "ValidationException"]);
      expect(answer.body, context).toMatch(/^\{"message":"\d+ validation errors? detected: /);
    }
  });
});

const python = pythonWithBoto3();

interface Verdict {
  /** Broken constraints of botocore's copy of the model. */
  readonly model: readonly string[];
  /** What boto3 would say before it sends the request; empty when it would send it. */
  readonly botocore: string;
}

test.skipIf(python === undefined)("botocore's model and validator agree on each of these requests", { timeout: 120_000 }, () => {
  const asked = names.flatMap((operation) => {
    const { valid, invalid } = requestsOf(operation, ROUNDS);
    return [...valid, ...invalid].map((input) => ({ operation, input }));
  });
  const script = fileURLToPath(new URL("./testing/model_oracle.py", import.meta.url));
  const verdicts = JSON.parse(
    execFileSync(python ?? "", [script], { input: JSON.stringify(asked), maxBuffer: 2 ** 28, encoding: "utf8" }),
  ) as readonly Verdict[];
  expect(verdicts.length).toBe(asked.length);
  const different = asked.flatMap(({ operation, input }, index) => {
    const { model = [], botocore = "" } = verdicts[index] ?? {};
    const ours = validate(operation, input);
    const isSame = model.length > 0 === (ours !== undefined) && (botocore === "" || ours !== undefined);
    return isSame ? [] : [{ operation, input, ours, model, botocore }];
  });
  expect(different).toEqual([]);
});
