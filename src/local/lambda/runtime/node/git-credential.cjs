// A credential helper of Git for builds whose buildspec says `git-credential-helper: yes`: what `aws codecommit credential-helper`
// answers, made of the keys in the environment. Git asks `get` on standard input; `store` and `erase` have nothing to do.
"use strict";
const { createHash, createHmac } = require("node:crypto");
const { readFileSync } = require("node:fs");

if (process.argv[2] === "get") {
  const asked = Object.fromEntries(
    readFileSync(0, "utf8")
      .split("\n")
      .filter(Boolean)
      .map((line) => line.split(/=(.*)/s).slice(0, 2)),
  );
  const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret, AWS_SESSION_TOKEN: token, AWS_REGION: region } = process.env;
  const hmac = (key, text) => createHmac("sha256", key).update(text).digest();
  const timestamp = new Date().toISOString().replace(/[-:]|\.\d{3}Z$/g, "");
  const date = timestamp.slice(0, 8);
  const canonical = `GIT\n/${asked.path}\n\nhost:${asked.host}\n\nhost\n`;
  const toSign = `AWS4-HMAC-SHA256\n${timestamp}\n${date}/${region}/codecommit/aws4_request\n${createHash("sha256").update(canonical).digest("hex")}`;
  const key = [date, region, "codecommit", "aws4_request"].reduce(hmac, `AWS4${secret}`);
  process.stdout.write(`username=${token ? `${id}%${token}` : id}\npassword=${timestamp}Z${hmac(key, toSign).toString("hex")}\n`);
}
