// Preloaded by NODE_OPTIONS. Functions behind custom resources of CloudFormation answer to a ResponseURL of which most
// clients (cfn-response, aws-cdk-lib's providers) take only host and path: they always speak HTTPS to port 443. Here the
// answer goes to the local accounts over HTTP instead; every other request is left as it is.
"use strict";
const http = require("node:http");
const https = require("node:https");
const { syncBuiltinESMExports } = require("node:module");

const { AWS_ENDPOINT_URL } = process.env;
const endpoint = AWS_ENDPOINT_URL ? new URL(AWS_ENDPOINT_URL) : undefined;

const isAnswer = (options) =>
  endpoint !== undefined &&
  typeof options === "object" &&
  (options.hostname ?? options.host) === endpoint.hostname &&
  /^\/+cloudformation-responses\//.test(options.path ?? "");

const { request } = https;
https.request = (options, ...rest) => {
  if (!isAnswer(options)) return request(options, ...rest);
  const { agent, protocol, ...plain } = options;
  return http.request({ ...plain, host: endpoint.hostname, port: endpoint.port }, ...rest);
};
syncBuiltinESMExports();
