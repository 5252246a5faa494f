import { AwsError } from "../../gateway/aws-error.ts";
import { validationError } from "../engine/errors.ts";
import { isList, isObject } from "../engine/values.ts";
import type {
  ExistingRequest,
  Json,
  Properties,
  ResourceProvider,
  ResourceRequest,
  ResourceState,
  UpdateRequest,
} from "../resource-provider.ts";
import type { CustomResponse, Responses } from "./responses.ts";

type RequestType = "Create" | "Update" | "Delete";

/** How long a function may take to answer unless `ServiceTimeout` says otherwise: an hour, as on AWS. */
const TIMEOUT_SECONDS = 3600;

/** How often a function that fails is called: Lambda's asynchronous invocation tries three times. */
const ATTEMPTS = 3;

/**
 * Resources that a function of the account makes: it is called with a request and answers by a PUT to the request's URL.
 * @param type `Custom::*` or `AWS::CloudFormation::CustomResource`
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requests.html
 */
export function customResource(type: string, responses: Responses): ResourceProvider {
  return {
    type,
    properties: { ServiceToken: "string", ServiceTimeout: "number", "*": "any" },
    required: ["ServiceToken"],
    replaceOn: [],
    attributes: "any",
    async create(request) {
      try {
        return stateOf(request, await ask(responses, "Create", request));
      } catch (error) {
        // What failed, or never answered, is undone all the same: with the id it gave, or with one that stands for it.
        if (!request.signal.aborted)
          request.announce((error instanceof Refused ? error.physicalId : undefined) ?? request.suggestedName(255));
        throw error;
      }
    },
    async update(request) {
      if (request.previousProperties["ServiceToken"] !== request.properties["ServiceToken"])
        throw validationError("Modifying service token is not allowed.");
      return stateOf(request, await ask(responses, "Update", request));
    },
    async delete(request) {
      await ask(responses, "Delete", request);
    },
  };
}

function stateOf(request: ResourceRequest | UpdateRequest, { PhysicalResourceId, Data }: CustomResponse): ResourceState {
  const present = "physicalId" in request ? request.physicalId : undefined;
  const physicalId = PhysicalResourceId ?? present;
  if (physicalId === undefined || physicalId === "") throw invalid("Invalid PhysicalResourceId");
  return { physicalId, attributes: isObject(Data) ? flattened(Data) : {} };
}

/** A function that answered FAILED. */
class Refused extends AwsError {
  readonly physicalId: string | undefined;
  constructor({ Reason = "no reason given", PhysicalResourceId }: CustomResponse, requestId: string) {
    super(
      400,
      "InvalidResponse",
      `Received response status [FAILED] from custom resource. Message returned: ${Reason} (RequestId: ${requestId})`,
    );
    this.physicalId = PhysicalResourceId;
  }
}

const invalid = (message: string): AwsError => new AwsError(400, "InvalidResponse", message);

/** `{a: {b: 1}}` answers to the attributes `a` and `a.b`. */
function flattened(data: Readonly<Record<string, Json>>, prefix = ""): Record<string, Json> {
  return Object.assign(
    {},
    ...Object.entries(data).map(([name, value]) => ({
      [prefix + name]: value,
      ...(isObject(value) && flattened(value, `${prefix}${name}.`)),
    })),
  ) as Record<string, Json>;
}

async function ask(
  responses: Responses,
  requestType: RequestType,
  request: ResourceRequest | ExistingRequest | UpdateRequest,
): Promise<CustomResponse> {
  const seconds = Number(request.properties["ServiceTimeout"] ?? TIMEOUT_SECONDS);
  const waiting = responses.expect(request.token, { seconds, signal: request.signal });
  const answered = await Promise.race([waiting.response, call(request, { requestType, url: waiting.url, isAnswered: waiting.isAnswered })]);
  const response = answered ?? (await waiting.response);
  if (response.Status === "SUCCESS") return response;
  throw new Refused(response, requestIdOf(request));
}

interface Question {
  readonly requestType: RequestType;
  readonly url: string;
  isAnswered(): boolean;
}

/**
 * Calls the function. Resolves when it has taken the request, or had it answered.
 * @throws AwsError when it fails each time without an answer: on AWS the stack would wait for the timeout
 */
async function call(request: ResourceRequest, { requestType, url, isAnswered }: Question): Promise<undefined> {
  const token = String(request.properties["ServiceToken"]);
  const event = JSON.stringify(eventOf(request, { requestType, url, isAnswered }));
  if (token.startsWith("arn:aws:sns:")) {
    await request.call("sns", "Publish", { TopicArn: token, Subject: "AWS CloudFormation custom resource request", Message: event });
    return undefined;
  }
  for (let attempt = 1; ; attempt++) {
    const { FunctionError, Payload } = await request.call<{ FunctionError?: string; Payload?: Uint8Array }>("lambda", "Invoke", {
      FunctionName: token,
      Payload: Buffer.from(event),
    });
    if (FunctionError === undefined || isAnswered()) return undefined;
    if (attempt === ATTEMPTS || request.signal.aborted)
      throw invalid(`the function ${token} failed without an answer: ${errorText(Payload)}`);
  }
}

function errorText(payload: Uint8Array | undefined): string {
  const text = Buffer.from(payload ?? []).toString("utf8");
  try {
    const { errorType, errorMessage } = JSON.parse(text) as { errorType?: string; errorMessage?: string };
    return [errorType, errorMessage].filter((part) => part !== undefined).join(": ") || text;
  } catch {
    return text;
  }
}

function eventOf(request: ResourceRequest | ExistingRequest | UpdateRequest, { requestType, url }: Question): object {
  return {
    RequestType: requestType,
    ServiceToken: request.properties["ServiceToken"],
    ResponseURL: url,
    StackId: request.stack.id,
    RequestId: requestIdOf(request),
    LogicalResourceId: request.logicalId,
    ...("physicalId" in request && { PhysicalResourceId: request.physicalId }),
    ResourceType: request.type,
    ResourceProperties: asTexts(request.properties),
    ...("previousProperties" in request && { OldResourceProperties: asTexts(request.previousProperties) }),
  };
}

// A UUID made of the step's token: the same request keeps its id over a restart.
const requestIdOf = ({ token }: ResourceRequest): string => token.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, "$1-$2-$3-$4-$5");

/** Every scalar as a string, `"true"` for true: what functions receive from CloudFormation. */
function asTexts(properties: Properties): Json {
  const convert = (value: Json): Json => {
    if (isList<Json>(value)) return value.map(convert);
    if (isObject(value)) return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, convert(member)]));
    return value === null ? "" : String(value);
  };
  return convert(properties as Json);
}
