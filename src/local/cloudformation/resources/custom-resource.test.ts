import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Clock } from "../../../kit/clock.ts";
import { systemClock } from "../../../kit/clock.ts";
import { systemRandom } from "../../../kit/random.ts";
import type { WireRequest } from "../../gateway/service.ts";
import { type Database, openDatabase } from "../../storage/database.ts";
import type { Properties, ResourceProvider, ResourceRequest } from "../resource-provider.ts";
import { customResource } from "./custom-resource.ts";
import { openResponses, type Responses } from "./responses.ts";

interface Event {
  readonly RequestType: string;
  readonly ResponseURL: string;
  readonly ResourceProperties: object;
  readonly [member: string]: unknown;
}
type Function = (event: Event) => Promise<object | void>;

const FUNCTION = "arn:aws:lambda:us-east-1:111122223333:function:f";

describe("a custom resource", () => {
  let server: Server;
  let database: Database;
  let responses: Responses;
  let provider: ResourceProvider;
  let announced: string[];
  let events: Event[];

  const open = (clock: Clock = systemClock) => {
    const endpoint = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    responses = openResponses({ database, clock, random: systemRandom, endpoint });
    provider = customResource("Custom::*", responses);
  };

  beforeEach(async () => {
    [announced, events] = [[], []];
    database = openDatabase(":memory:");
    server = createServer((incoming, answer) => {
      const request = { method: incoming.method, path: incoming.url, query: "", headers: {}, body: incoming } as unknown as WireRequest;
      void responses.handle(request).then(({ status, body }) => answer.writeHead(status).end(body as string));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    open();
  });
  afterEach(() => new Promise((resolve) => server.close(resolve)));

  /** A request to the provider, with `run` in the place of the function behind the service token. */
  const request = (
    run: Function,
    { properties = {}, ...more }: Partial<Omit<ResourceRequest, "properties">> & { properties?: Properties } = {},
  ): ResourceRequest => ({
    logicalId: "R",
    type: "Custom::Thing",
    token: "0123456789abcdef0123456789abcdef",
    resumed: false,
    signal: new AbortController().signal,
    properties: { ServiceToken: FUNCTION, ...properties },
    stack: { id: "arn:stack", name: "s", account: "111122223333", region: "us-east-1", tags: {} },
    suggestedName: () => "suggested",
    announce: (id) => void announced.push(id),
    call: (async (service: string, operation: string, input: { FunctionName: string; Payload: Uint8Array }) => {
      expect([service, operation, input.FunctionName]).toEqual(["lambda", "Invoke", FUNCTION]);
      const event = JSON.parse(Buffer.from(input.Payload).toString()) as Event;
      events.push(event);
      return (await run(event)) ?? {};
    }) as ResourceRequest["call"],
    ...more,
  });

  /** Answers as AWS's own functions do: a PUT with an empty content type. */
  const answering =
    (response: object): Function =>
    async ({ ResponseURL }) => {
      const answer = await fetch(ResponseURL, { method: "PUT", headers: { "content-type": "" }, body: JSON.stringify(response) });
      expect(answer.status).toBe(200);
    };

  test("is what its function answers", async () => {
    const state = await provider.create(
      request(answering({ Status: "SUCCESS", PhysicalResourceId: "made", Data: { A: "1", B: { C: 2 } } })),
    );
    expect(state).toEqual({ physicalId: "made", attributes: { A: "1", B: { C: 2 }, "B.C": 2 } });
    expect(events[0]).toMatchObject({
      RequestType: "Create",
      StackId: "arn:stack",
      RequestId: "01234567-89ab-cdef-0123-456789abcdef",
      LogicalResourceId: "R",
      ResourceType: "Custom::Thing",
    });
  });

  test("gets every scalar as a string", async () => {
    await provider.create(
      request(answering({ Status: "SUCCESS", PhysicalResourceId: "made" }), { properties: { Yes: true, N: 5, Deep: [{ No: false }] } }),
    );
    expect(events[0]?.ResourceProperties).toEqual({ ServiceToken: FUNCTION, Yes: "true", N: "5", Deep: [{ No: "false" }] });
  });

  test("is updated with the old properties, and may become another", async () => {
    const state = await provider.update({
      ...request(answering({ Status: "SUCCESS", PhysicalResourceId: "second" }), { properties: { V: 2 } }),
      physicalId: "first",
      previousProperties: { ServiceToken: FUNCTION, V: 1 },
    });
    expect(state).toMatchObject({ physicalId: "second" });
    expect(events[0]).toMatchObject({ RequestType: "Update", PhysicalResourceId: "first", OldResourceProperties: { V: "1" } });
  });

  test("keeps its id where the answer to an update or a deletion names none", async () => {
    const here = { ...request(answering({ Status: "SUCCESS" })), physicalId: "first", previousProperties: { ServiceToken: FUNCTION } };
    expect(await provider.update(here)).toMatchObject({ physicalId: "first" });
    await provider.delete({ ...here, token: "f".repeat(32) });
    expect(events[1]).toMatchObject({ RequestType: "Delete", PhysicalResourceId: "first" });
  });

  test("fails with the function's reason, and what it made is known", async () => {
    await expect(provider.create(request(answering({ Status: "FAILED", Reason: "no room", PhysicalResourceId: "half" })))).rejects.toThrow(
      "Message returned: no room",
    );
    expect(announced).toEqual(["half"]);
  });

  test("fails when the function fails three times without an answer", async () => {
    const failing: Function = () =>
      Promise.resolve({ FunctionError: "Unhandled", Payload: Buffer.from('{"errorType":"TypeError","errorMessage":"x is undefined"}') });
    await expect(provider.create(request(failing))).rejects.toThrow("failed without an answer: TypeError: x is undefined");
    expect(events).toHaveLength(3);
    expect(announced).toEqual(["suggested"]);
  });

  test("fails when nobody answers in time", async () => {
    const sleeps: number[] = [];
    open({ ...systemClock, sleep: async (ms) => void sleeps.push(ms) });
    await expect(provider.create(request(() => Promise.resolve(), { properties: { ServiceTimeout: "30" } }))).rejects.toThrow(
      "CloudFormation did not receive a response from your Custom Resource",
    );
    expect(sleeps).toEqual([30_000]);
  });

  test("an answer that came before a restart is not asked for again", async () => {
    let url = "";
    const stopping = new AbortController();
    const first = provider.create(
      request(
        ({ ResponseURL }) => {
          url = ResponseURL;
          stopping.abort(new Error("stopping"));
          return Promise.resolve();
        },
        { signal: stopping.signal },
      ),
    );
    await expect(first).rejects.toThrow("stopping");
    open();
    const late = await fetch(url, { method: "PUT", body: JSON.stringify({ Status: "SUCCESS", PhysicalResourceId: "late" }) });
    expect(late.status).toBe(200);
    expect(await provider.create(request(() => new Promise(() => undefined), { resumed: true }))).toMatchObject({ physicalId: "late" });
  });

  test.each([
    ["of a stranger", (url: string) => fetch(url.replace(/.{8}$/, "00000000"), { method: "PUT", body: '{"Status":"SUCCESS"}' }), 403],
    ["that is no JSON", (url: string) => fetch(url, { method: "PUT", body: "done" }), 400],
    [
      "that is too long",
      (url: string) => fetch(url, { method: "PUT", body: JSON.stringify({ Status: "SUCCESS", Data: "x".repeat(5000) }) }),
      400,
    ],
    ["that is not PUT", (url: string) => fetch(url, { method: "POST", body: '{"Status":"SUCCESS"}' }), 405],
  ])("an answer %s is refused", async (_, send, status) => {
    const { url, response } = responses.expect("t", { seconds: 60, signal: AbortSignal.timeout(50) });
    response.catch(() => undefined);
    expect((await send(url)).status).toBe(status);
  });
});
