import { expect, test } from "vitest";
import { transportFor } from "./transport.ts";

test.each([
  ["docker.io", "https://registry-1.docker.io"],
  ["localhost:5000", "http://localhost:5000"],
  ["127.0.0.1:5000", "http://127.0.0.1:5000"],
  ["quay.io", "https://quay.io"],
  ["127.0.0.1.evil.example", "https://127.0.0.1.evil.example"],
])("%s is asked at %s", (registry, origin) => expect(transportFor()(registry)).toEqual({ origin, prefix: "" }));

test.each(["quay", "ftp://x", "http://user:p@x"])("%s is no address for an upstream", (url) =>
  expect(() => transportFor({ upstreams: { "quay.io": url } })).toThrow(/^"(?!.*user:p).*" is not a valid registry address/),
);
