import { CreateFunctionCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { SendTaskSuccessCommand } from "@aws-sdk/client-sfn";
import { strToU8, zipSync } from "fflate";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { startAccounts, type TestAccounts } from "../testing/accounts.ts";
import { allow, Door, fresh, only, task } from "./testing/door.ts";

let accounts: TestAccounts;
beforeAll(async () => {
  accounts = await startAccounts();
});
afterAll(() => accounts[Symbol.asyncDispose]());
const { ended, history, machine, role, run, sfn, start } = new Door(() => accounts);

/** A function whose handler is this body. */
async function fn(body: string): Promise<string> {
  const ZipFile = zipSync({ "index.mjs": strToU8(`export const handler = async (event) => { ${body} };`) });
  const { FunctionArn } = await new LambdaClient(accounts.config()).send(
    new CreateFunctionCommand({
      FunctionName: fresh("function"),
      Runtime: "nodejs24.x",
      Handler: "index.handler",
      Timeout: 20,
      Role: await role(),
      Code: { ZipFile },
    }),
  );
  return FunctionArn!;
}

const statements = [allow("lambda:InvokeFunction")];

describe("a function as Resource", () => {
  test("takes the input and gives the result as they are", async () => {
    const described = await run(
      await machine(only({ Type: "Task", Resource: await fn("return { doubled: event.n * 2 };"), ResultPath: "$.r" }), { statements }),
      { n: 4 },
    );
    expect(JSON.parse(described.output ?? described.cause!)).toEqual({ n: 4, r: { doubled: 8 } });
  });
  test("its error has the name of its type, and can be retried by it", async () => {
    const Resource = await fn(
      "globalThis.n = (globalThis.n ?? 0) + 1; if (globalThis.n < 3) throw Object.assign(new Error('busy'), { name: 'Busy' }); return globalThis.n;",
    );
    const arn = await start(
      await machine(only({ Type: "Task", Resource, Retry: [{ ErrorEquals: ["Busy"], IntervalSeconds: 1, BackoffRate: 1 }] }), {
        statements,
      }),
    );
    expect(await ended(arn)).toMatchObject({ status: "SUCCEEDED", output: "3" });
    const events = await history(arn);
    expect(
      events
        .filter(({ type }) => type === "LambdaFunctionFailed")
        .map(({ lambdaFunctionFailedEventDetails: details }) => [
          details!.error,
          (JSON.parse(details!.cause!) as { errorMessage: string }).errorMessage,
        ]),
    ).toEqual([
      ["Busy", "busy"],
      ["Busy", "busy"],
    ]);
  });
  test("that the role may not invoke fails the task", async () => {
    const described = await run(await machine(only({ Type: "Task", Resource: await fn("return 1;") })));
    expect(described).toMatchObject({
      status: "FAILED",
      error: "Lambda.AWSLambdaException",
      cause: expect.stringContaining("is not authorized to perform: lambda:InvokeFunction"),
    });
  });
});

describe("lambda:invoke", () => {
  test("gives payload, version and status", async () => {
    const Parameters = { FunctionName: await fn("return [event];"), "Payload.$": "$" };
    const { output } = await run(await machine(only(task("lambda:invoke", { Parameters })), { statements }), { a: 1 });
    expect(JSON.parse(output!)).toMatchObject({
      Payload: [{ a: 1 }],
      ExecutedVersion: "$LATEST",
      StatusCode: 200,
      SdkHttpMetadata: { HttpStatusCode: 200 },
    });
  });
  test("of a function that is not there", async () => {
    const FunctionName = "arn:aws:lambda:us-east-1:111122223333:function:none";
    expect(await run(await machine(only(task("lambda:invoke", { Parameters: { FunctionName } })), { statements }))).toMatchObject({
      error: "Lambda.ResourceNotFoundException",
      cause: expect.stringMatching(/^Function not found: .*\(Service: Lambda, Status Code: 404, Request ID: /),
    });
  });
  test("many at once, as a Map asks for them", async () => {
    const Parameters = { FunctionName: await fn("return event * event;"), "Payload.$": "$" };
    const ItemProcessor = { StartAt: "I", States: { I: task("lambda:invoke", { Parameters, OutputPath: "$.Payload", End: true }) } };
    const { output } = await run(
      await machine(only({ Type: "Map", ItemProcessor, MaxConcurrency: 4 }), { statements }),
      [1, 2, 3, 4, 5, 6],
    );
    expect(JSON.parse(output!)).toEqual([1, 4, 9, 16, 25, 36]);
  });
  test("with a token is answered by somebody else", async () => {
    const Parameters = { FunctionName: await fn("console.log(event.token); return null;"), Payload: { "token.$": "$$.Task.Token" } };
    const arn = await start(await machine(only(task("lambda:invoke.waitForTaskToken", { Parameters })), { statements }));
    const taskToken = await vi.waitFor(
      async () => {
        const events = await history(arn);
        expect(events.at(-1)!.type).toBe("TaskSubmitted");
        return (JSON.parse(events[2]!.taskScheduledEventDetails!.parameters!) as { Payload: { token: string } }).Payload.token;
      },
      { timeout: 90_000 },
    );
    await sfn().send(new SendTaskSuccessCommand({ taskToken, output: '"approved"' }));
    expect(await ended(arn)).toMatchObject({ status: "SUCCEEDED", output: '"approved"' });
  });
});

test("a stop of the local accounts while a function runs does not fail the execution", async () => {
  const Resource = await fn("if (event.slow) await new Promise((done) => setTimeout(done, 3_000)); return 'done';");
  const arn = await start(await machine(only({ Type: "Task", Resource }), { statements }), { slow: true });
  await vi.waitFor(async () => expect((await history(arn)).at(-1)!.type).toBe("LambdaFunctionStarted"));
  await accounts.restart();
  expect(await ended(arn)).toMatchObject({ status: "SUCCEEDED", output: '"done"' });
  expect((await history(arn)).map(({ type }) => type)).toEqual([
    "ExecutionStarted",
    "TaskStateEntered",
    "LambdaFunctionScheduled",
    "LambdaFunctionStarted",
    "LambdaFunctionSucceeded",
    "TaskStateExited",
    "ExecutionSucceeded",
  ]);
});
