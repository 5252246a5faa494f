import aws4 from "aws4";
import { operations } from "../../../model/generated/tables.ts";
import { inputMembers } from "../../../model/request.ts";
import type { OperationName } from "../../../model/validate.ts";
import type { TestAccounts } from "../../testing/accounts.ts";

export interface RawAnswer {
  readonly status: number;
  /** The error's type; null where there is none. */
  readonly type: string | null;
  readonly body: string;
}

export interface RawRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly body?: string | undefined;
}

/** Sends a signed request as a client without the SDK would. */
export async function sendRaw(accounts: TestAccounts, { method, path, body }: RawRequest): Promise<RawAnswer> {
  const { credentials } = accounts.config();
  const { host } = new URL(accounts.url);
  const headers = body === undefined ? {} : { "content-type": "application/json" };
  const signed = aws4.sign(
    { host, method, path, service: "omics", region: "us-east-1", headers, ...(body !== undefined && { body }) },
    credentials,
  );
  const response = await fetch(`${accounts.url}${path}`, {
    method,
    headers: signed.headers as Record<string, string>,
    ...(body !== undefined && { body }),
  });
  return { status: response.status, type: response.headers.get("x-amzn-errortype"), body: await response.text() };
}

/** The request of an operation with its members where the model puts them, checked by nobody. */
export function requestOf(operation: OperationName, input: Readonly<Record<string, unknown>>): RawRequest {
  const { method, uri } = operations[operation];
  const body: Record<string, unknown> = {};
  const query = new URLSearchParams();
  let path: string = uri;
  for (const [name, member] of Object.entries(inputMembers(operation))) {
    const value = input[name];
    if (member.location === "uri") path = path.replace(`{${name}}`, () => encodeURIComponent(String(value)));
    else if (value === undefined) continue;
    else if (member.location === "querystring") for (const item of [value].flat()) query.append(name, String(item));
    else body[name] = value;
  }
  const search = query.size > 0 ? `?${query.toString().replaceAll("+", "%20")}` : "";
  return { method, path: path + search, body: Object.keys(body).length > 0 ? JSON.stringify(body) : undefined };
}
