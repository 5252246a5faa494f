import { AwsError } from "../gateway/aws-error.ts";
import {
  type AnyOperation,
  operation,
  type AwsErrorLike,
  type Route,
  type ServiceFactory,
  type WireRequest,
  type WireResponse,
} from "../gateway/service.ts";

/** AWS Price List: what there is to be priced, and no prices. */
export const pricingService: ServiceFactory = () => ({ name: "pricing", wire: { kind: "http", route }, operations });

interface PricingRequest {
  readonly ServiceCode?: string | null;
}

const OMICS = "AmazonOmics";
const ATTRIBUTES = [
  "instanceType",
  "location",
  "locationType",
  "operation",
  "productFamily",
  "regionCode",
  "resourceType",
  "servicecode",
  "servicename",
  "termType",
  "usagetype",
];

const operations: Readonly<Record<string, AnyOperation>> = {
  DescribeServices: operation<PricingRequest, object>({
    access: () => [{ action: "pricing:DescribeServices", resource: "*" }],
    run({ ServiceCode }) {
      if (ServiceCode != null) checkCode(ServiceCode);
      return { FormatVersion: "aws_v1", Services: [{ ServiceCode: OMICS, AttributeNames: ATTRIBUTES }] };
    },
  }),
  GetProducts: operation<PricingRequest, object>({
    access: () => [{ action: "pricing:GetProducts", resource: "*" }],
    run({ ServiceCode }) {
      if (ServiceCode == null) throw new AwsError(400, "InvalidParameterException", "ServiceCode is required");
      checkCode(ServiceCode);
      return { FormatVersion: "aws_v1", PriceList: [] };
    },
  }),
};

/** @throws AwsError NotFoundException */
function checkCode(code: string): void {
  if (code !== OMICS)
    throw new AwsError(400, "NotFoundException", `The service ${code} is not known: the local accounts know ${OMICS} alone, and no prices`);
}

const TARGET = "AWSPriceListService.";

function route(request: WireRequest): Route | undefined {
  const target = request.headers["x-amz-target"] ?? "";
  if (!target.startsWith(TARGET)) return undefined;
  return {
    operation: target.slice(TARGET.length),
    input: () => Promise.resolve(bodyOf(request)),
    output: (result) => answer(200, result),
    error,
  };
}

function bodyOf({ bytes }: WireRequest): PricingRequest {
  try {
    const body: unknown = JSON.parse(bytes?.toString("utf8") || "{}");
    if (typeof body === "object" && body !== null) return body;
  } catch {
    // Said below, as of any other body that is no object.
  }
  throw new AwsError(400, "SerializationException", "The request body is not a JSON object");
}

const answer = (status: number, body: unknown): WireResponse => ({
  status,
  headers: { "content-type": "application/x-amz-json-1.1" },
  body: JSON.stringify(body),
});
const error = ({ status, code, message }: AwsErrorLike): WireResponse => answer(status, { __type: code, message });
