import { sign } from "aws4";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startAccounts, type TestAccounts } from "../testing/accounts.ts";

let accounts: TestAccounts;
beforeAll(async () => {
  accounts = await startAccounts();
});
afterAll(() => accounts[Symbol.asyncDispose]());

/** A request as every SDK writes it; there is none of the price list in JavaScript here. */
async function ask(operation: string, body: string): Promise<{ readonly status: number; readonly answer: unknown }> {
  const headers = { "content-type": "application/x-amz-json-1.1", "x-amz-target": `AWSPriceListService.${operation}` };
  const signed = sign(
    { host: new URL(accounts.url).host, method: "POST", path: "/", service: "pricing", region: "us-east-1", headers, body },
    accounts.config().credentials,
  );
  const response = await fetch(accounts.url, { method: "POST", headers: signed.headers as Record<string, string>, body });
  return { status: response.status, answer: await response.json() };
}

test("HealthOmics can be priced, and has no prices", async () => {
  const services = {
    FormatVersion: "aws_v1",
    Services: [{ ServiceCode: "AmazonOmics", AttributeNames: expect.arrayContaining(["resourceType", "regionCode"]) as string[] }],
  };
  expect(await ask("DescribeServices", '{"ServiceCode":"AmazonOmics"}')).toEqual({ status: 200, answer: services });
  expect(await ask("DescribeServices", "{}")).toEqual({ status: 200, answer: services });
  expect(
    await ask(
      "GetProducts",
      '{"ServiceCode":"AmazonOmics","Filters":[{"Type":"TERM_MATCH","Field":"resourceType","Value":"omics.c.large"}]}',
    ),
  ).toEqual({ status: 200, answer: { FormatVersion: "aws_v1", PriceList: [] } });
});

test.each([
  ["DescribeServices", '{"ServiceCode":"AmazonEC2"}', 400, "NotFoundException"],
  ["GetProducts", '{"ServiceCode":"AmazonEC2"}', 400, "NotFoundException"],
  ["GetProducts", "{}", 400, "InvalidParameterException"],
  ["GetProducts", "[", 400, "SerializationException"],
  ["GetAttributeValues", '{"ServiceCode":"AmazonOmics"}', 501, "NotImplemented"],
])("%s of %s is refused", async (operation, body, status, code) => {
  expect(await ask(operation, body)).toMatchObject({ status, answer: { __type: code } });
});
