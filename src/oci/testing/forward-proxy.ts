import { createServer, request } from "node:http";
import { type AddressInfo, connect } from "node:net";

export interface ForwardProxy extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** What it was asked to do: `CONNECT sts.us-east-1.amazonaws.com:443`, `GET http://registry.test/v2/`. */
  readonly asked: readonly string[];
}

/**
 * The HTTP proxy of a network. It knows the hosts given, each as the address of a server, and connects to no other.
 * @param password what a client has to say, as `user:password`. @default - nothing
 */
export async function forwardProxy(hosts: Readonly<Record<string, string>>, password?: string): Promise<ForwardProxy> {
  const asked: string[] = [];
  const wanted = password && `Basic ${Buffer.from(password).toString("base64")}`;
  const server = createServer((incoming, outgoing) => {
    asked.push(`${incoming.method} ${incoming.url}`);
    const url = new URL(incoming.url ?? "");
    const target = hosts[url.hostname];
    if (wanted && incoming.headers["proxy-authorization"] !== wanted) return void outgoing.writeHead(407).end();
    if (target === undefined) return void outgoing.writeHead(403).end();
    const onward = request(new URL(url.pathname + url.search, target), { method: incoming.method ?? "GET", headers: incoming.headers });
    onward.on("response", (answer) => answer.pipe(outgoing.writeHead(answer.statusCode ?? 502, answer.headers)));
    onward.on("error", () => outgoing.destroy());
    incoming.pipe(onward);
  });
  server.on("connect", ({ url = "", headers }, socket) => {
    asked.push(`CONNECT ${url}`);
    const target = hosts[url.replace(/:\d+$/, "")];
    if (wanted && headers["proxy-authorization"] !== wanted) return void socket.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
    if (target === undefined) return void socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
    const onward = connect(Number(new URL(target).port), "127.0.0.1", () => socket.write("HTTP/1.1 200 OK\r\n\r\n"));
    onward.on("error", () => socket.destroy());
    socket.on("error", () => onward.destroy());
    onward.pipe(socket).pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
