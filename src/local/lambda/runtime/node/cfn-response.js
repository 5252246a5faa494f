// The module `cfn-response`, which CloudFormation adds to functions whose code stands in a template.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/cfn-lambda-function-code-cfnresponsemodule.html
"use strict";
const https = require("https");

exports.SUCCESS = "SUCCESS";
exports.FAILED = "FAILED";

exports.send = (event, context, Status, Data, PhysicalResourceId = context.logStreamName, NoEcho = false) => {
  const { StackId, RequestId, LogicalResourceId } = event;
  const Reason = `See the details in CloudWatch Log Stream: ${context.logStreamName}`;
  const body = JSON.stringify({ Status, Reason, PhysicalResourceId, StackId, RequestId, LogicalResourceId, NoEcho, Data });
  const { hostname, pathname, search } = new URL(event.ResponseURL);
  const headers = { "content-type": "", "content-length": Buffer.byteLength(body) };
  return new Promise((resolve) => {
    const done = (error) => {
      if (error) console.log(`the answer to CloudFormation failed: ${error.message}`);
      context.done?.();
      resolve();
    };
    https.request({ hostname, port: 443, path: pathname + search, method: "PUT", headers }, (response) => response.resume().on("end", () => done()))
      .on("error", done).end(body);
  });
};
