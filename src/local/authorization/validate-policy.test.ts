import { expect, test } from "vitest";

import { type PolicyUse, validatePolicyDocument } from "./validate-policy.ts";

const good = { Effect: "Allow", Action: "s3:GetObject", Resource: "arn:aws:s3:::b/*" };
const text = (...statements: object[]) => JSON.stringify({ Version: "2012-10-17", Statement: statements });

test.each<[string, string, PolicyUse]>([
  ["an identity-based policy", text(good), "identity"],
  ["one statement without a list", JSON.stringify({ Version: "2012-10-17", Statement: good }), "identity"],
  [
    "variables in values and resources",
    text({ ...good, Resource: "${aws:PrincipalTag/x}", Condition: { NumericLessThan: { "s3:max-keys": "${aws:PrincipalTag/n}" } } }),
    "identity",
  ],
  [
    "booleans and numbers as values",
    text({ ...good, Condition: { Bool: { "aws:SecureTransport": false }, NumericEquals: { "s3:max-keys": 10 } } }),
    "identity",
  ],
  [
    "a resource-based policy of 2008, with spaces in its Sid",
    JSON.stringify({ Version: "2008-10-17", Statement: [{ ...good, Sid: "new statement", Principal: "*" }] }),
    "resource",
  ],
  [
    "a repository policy without a resource",
    text({ Effect: "Allow", Principal: { AWS: "111122223333", Service: "omics.amazonaws.com" }, Action: "ecr:BatchGetImage" }),
    "resource",
  ],
  [
    "a trust policy",
    text({ Effect: "Allow", Principal: { Service: "states.us-east-1.amazonaws.com" }, Action: ["sts:AssumeRole", "sts:TagSession"] }),
    "trust",
  ],
])("accepts %s", (_what, document, use) => {
  expect(validatePolicyDocument(document, use)).toBeUndefined();
});

test.each<[string, string, PolicyUse, string]>([
  ["no JSON", "{", "identity", "Syntax errors in policy."],
  ["a list", "[]", "identity", "Syntax errors in policy."],
  ["no version", JSON.stringify({ Statement: good }), "identity", "Policy document must be version 2012-10-17 or greater."],
  ["another version", JSON.stringify({ Version: "2020-01-01", Statement: good }), "identity", '"2020-01-01" is not a version'],
  ["no statement", JSON.stringify({ Version: "2012-10-17", Statement: [] }), "identity", "it has no statement"],
  ["a strange element", text({ ...good, Actions: "x" }), "identity", 'statement #1: the element "Actions" is not known'],
  ["a strange effect", text({ ...good, Effect: "allow" }), "identity", 'Effect must be "Allow" or "Deny"'],
  ["no action", text({ Effect: "Allow", Resource: "*" }), "identity", "Policy statement must contain actions."],
  ["an action without a vendor", text({ ...good, Action: "GetObject" }), "identity", "must be prefaced by a vendor"],
  ["an action with two colons", text({ ...good, Action: "s3:a:b" }), "identity", "only one colon"],
  ["no resource", text({ Effect: "Allow", Action: "s3:*" }), "identity", "Policy statement must contain resources."],
  ["a resource that is no ARN", text({ ...good, Resource: "bucket/*" }), "identity", 'Resource bucket/* must be in ARN format or "*".'],
  ["a principal where there is none", text({ ...good, Principal: "*" }), "identity", "Policy document should not specify a principal."],
  ["action and its opposite", text({ ...good, NotAction: "s3:*" }), "identity", "Action and NotAction exclude each other"],
  [
    "a strange operator",
    text({ ...good, Condition: { StringSounds: { a: "b" } } }),
    "identity",
    'the condition operator "StringSounds" is not known',
  ],
  [
    "a value of another type",
    text({ ...good, Condition: { IpAddress: { "aws:SourceIp": "home" } } }),
    "identity",
    'IpAddress aws:SourceIp can\'t be compared with "home"',
  ],
  [
    "the same Sid twice",
    text({ ...good, Sid: "A" }, { ...good, Sid: "A" }),
    "identity",
    "Statement IDs (SID) in a single policy must be unique.",
  ],
  ["a Sid with a dash", text({ ...good, Sid: "a-b" }), "identity", "must be alpha-numeric"],
  ["no principal", text(good), "resource", "Missing required field Principal"],
  [
    "a principal with a wildcard",
    text({ ...good, Principal: { AWS: "arn:aws:iam::111122223333:role/*" } }),
    "resource",
    'Invalid principal in policy: "AWS":"arn:aws:iam::111122223333:role/*"',
  ],
  ["a principal of a strange type", text({ ...good, Principal: { Robot: "x" } }), "resource", 'Invalid principal in policy: "Robot"'],
  ["a trust policy with a resource", text({ ...good, Principal: "*", Action: "sts:AssumeRole" }), "trust", "Has prohibited field Resource"],
  [
    "a trust policy for other actions",
    text({ Effect: "Allow", Principal: "*", Action: "s3:GetObject" }),
    "trust",
    "AssumeRole policy may only specify STS AssumeRole actions.",
  ],
])("refuses %s", (_what, document, use, message) => {
  expect(validatePolicyDocument(document, use)).toContain(message);
});
