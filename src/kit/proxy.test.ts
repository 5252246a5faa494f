import { expect, test } from "vitest";
import { readProxy } from "./proxy.ts";

const LOOPBACK = "localhost,127.0.0.1,[::1],::1";

test.each([
  [{}, undefined],
  [{ HTTPS_PROXY: "" }, undefined],
  [{ NO_PROXY: "example.org" }, undefined],
  [{ ALL_PROXY: "socks5://proxy:1080" }, undefined],
  [{ HTTPS_PROXY: "http://proxy:3128" }, { https: "http://proxy:3128/", except: LOOPBACK }],
  [
    { https_proxy: "http://small:1", HTTPS_PROXY: "http://large:1" },
    { https: "http://small:1/", except: LOOPBACK },
  ],
  [{ HTTP_PROXY: "proxy:3128" }, { http: "http://proxy:3128/", except: LOOPBACK }],
  [
    { ALL_PROXY: "http://all:1", HTTP_PROXY: "http://plain:1" },
    { http: "http://plain:1/", https: "http://all:1/", except: LOOPBACK },
  ],
  [{ HTTPS_PROXY: "http://me:p%40ss@proxy:3128" }, { https: "http://me:p%40ss@proxy:3128/", except: LOOPBACK }],
  [
    { HTTPS_PROXY: "http://proxy:1", NO_PROXY: ".corp.example, 10.0.0.1 localhost" },
    { https: "http://proxy:1/", except: ".corp.example,10.0.0.1,localhost,127.0.0.1,[::1],::1" },
  ],
] as const)("%j is %j", (environment, proxy) => expect(readProxy(environment)).toEqual(proxy));

test.each([
  [
    { HTTPS_PROXY: "socks5://me:secret@proxy:1080" },
    '"socks5://…@proxy:1080" is not a valid HTTPS_PROXY: write the address of an HTTP proxy, http://host:port',
  ],
  [{ HTTPS_PROXY: "http://me:secret@" }, '"http://…@" is not a valid HTTPS_PROXY: write the address of an HTTP proxy, http://host:port'],
  [{ HTTP_PROXY: "me:secret@pro xy:1" }, '"…@pro xy:1" is not a valid HTTP_PROXY: write the address of an HTTP proxy, http://host:port'],
])("%j is refused without its password", (environment, message) => expect(() => readProxy(environment)).toThrow(message));
