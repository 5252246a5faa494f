import { once } from "node:events";
import { connect } from "node:net";
import { expect, test, vi } from "vitest";
import { startAccounts } from "../testing/accounts.ts";

vi.setConfig({ testTimeout: 60_000 });

test("a request of 70 MB is refused to a client that sends all of it before it reads, and its connection goes on", async () => {
  await using accounts = await startAccounts();
  const { hostname, port } = new URL(accounts.url);
  const socket = connect(Number(port), hostname);
  const authorization =
    "authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/us-east-1/ecr/aws4_request, SignedHeaders=host;x-amz-date, Signature=0\r\nx-amz-date: 20260101T000000Z\r\nhost: h\r\n";
  socket.pause();
  for (const part of [
    `POST / HTTP/1.1\r\n${authorization}content-length: 70000000\r\n\r\n`,
    Buffer.alloc(70_000_000, " "),
    "GET /v2/ HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n",
  ])
    if (!socket.write(part)) await once(socket, "drain");
  let answers = "";
  for await (const bytes of socket) answers += String(bytes);
  expect(answers.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 413", "HTTP/1.1 401"]);
});
