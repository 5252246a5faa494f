import type {
  DescribeEventBusRequest,
  DescribeEventBusResponse,
  ListEventBusesRequest,
  ListEventBusesResponse,
  PutEventsRequest,
  PutEventsRequestEntry,
  PutEventsResponse,
  PutEventsResultEntry,
  TestEventPatternRequest,
  TestEventPatternResponse,
} from "@aws-sdk/client-eventbridge";
import { type AnyOperation, type Call, operation } from "../gateway/service.ts";
import { validation } from "./errors.ts";
import { checkPattern } from "./rule-operations.ts";
import { busArn, checkBus, type Events } from "./service-parts.ts";

const MOST_ENTRIES = 10;

/** Operations on events and the default bus. */
export const eventOperations = (events: Events): Readonly<Record<string, AnyOperation>> => ({
  PutEvents: operation<PutEventsRequest, PutEventsResponse>({
    access: ({ Entries = [] }, call) =>
      Entries.map((entry) => ({
        action: "events:PutEvents",
        resource: busArn(call),
        context: { "events:source": entry.Source ?? "", "events:detail-type": entry.DetailType ?? "" },
      })),
    run: ({ Entries = [] }, call) => putAll(events, Entries, call),
  }),
  TestEventPattern: operation<TestEventPatternRequest, TestEventPatternResponse>({
    access: () => [{ action: "events:TestEventPattern", resource: "*" }],
    run: ({ EventPattern = "", Event = "" }) => ({ Result: checkPattern(EventPattern)(readEvent(Event)) }),
  }),
  DescribeEventBus: operation<DescribeEventBusRequest, DescribeEventBusResponse>({
    access: (_, call) => [{ action: "events:DescribeEventBus", resource: busArn(call) }],
    run({ Name }, call) {
      checkBus(call, Name);
      return { Name: "default", Arn: busArn(call) };
    },
  }),
  ListEventBuses: operation<ListEventBusesRequest, ListEventBusesResponse>({
    access: () => [{ action: "events:ListEventBuses", resource: "*" }],
    run: ({ NamePrefix = "" }, call) => ({ EventBuses: "default".startsWith(NamePrefix) ? [{ Name: "default", Arn: busArn(call) }] : [] }),
  }),
});

function putAll(events: Events, entries: readonly PutEventsRequestEntry[], call: Call): PutEventsResponse {
  if (entries.length === 0 || entries.length > MOST_ENTRIES)
    throw validation(
      `1 validation error detected: Value at 'entries' failed to satisfy constraint: Member must have length between 1 and ${MOST_ENTRIES}`,
    );
  for (const { EventBusName } of entries) checkBus(call, EventBusName);
  const results = events.store.transaction(() => entries.map((entry) => putOne(events, entry, call)));
  return { FailedEntryCount: results.filter(({ ErrorCode }) => ErrorCode !== undefined).length, Entries: results };
}

const failed = (ErrorCode: string, ErrorMessage: string): PutEventsResultEntry => ({ ErrorCode, ErrorMessage });

/** An entry that is wrong fails alone; the others are sent. */
function putOne({ core }: Events, entry: PutEventsRequestEntry, { account, region }: Call): PutEventsResultEntry {
  const { Source, DetailType, Detail, Resources = [], Time } = entry;
  if (!Source) return failed("InvalidArgument", "Parameter Source is not valid. Reason: Source is a required argument.");
  if (Source.startsWith("aws.")) return failed("NotAuthorizedForSourceException", "Not authorized for the source.");
  if (!DetailType) return failed("InvalidArgument", "Parameter DetailType is not valid. Reason: DetailType is a required argument.");
  const detail = readDetail(Detail);
  if (detail === undefined) return failed("MalformedDetail", "Detail is malformed.");
  const id = core.outbox.put({
    account,
    region,
    source: Source,
    detailType: DetailType,
    detail,
    resources: Resources,
    ...(Time && { time: Time.toISOString() }),
  });
  return { EventId: id };
}

function readDetail(text: string | undefined): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text ?? "");
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

const NEEDED = ["id", "account", "source", "time", "region", "resources", "detail-type"];

function readEvent(text: string): unknown {
  const event = readDetail(text);
  const missing = NEEDED.filter((member) => event?.[member] === undefined);
  if (event === undefined || missing.length > 0)
    throw validation(`Parameter Event is not valid. It must be a JSON object with ${NEEDED.join(", ")}; missing: ${missing.join(", ")}`);
  return event;
}
