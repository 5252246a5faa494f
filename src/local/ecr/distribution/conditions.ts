import type { WireRequest, WireResponse } from "../../gateway/service.ts";

/**
 * What who asks for something wants, knowing its tag: the content, to be told that it is what they hold already, or
 * nothing, as it is no longer what they hold (RFC 9110 section 13.2.2).
 */
export function whatIsAsked(headers: WireRequest["headers"], etag: string): "content" | "nothing new" | "failed" {
  const [match, noneMatch] = [headers["if-match"], headers["if-none-match"]];
  if (match !== undefined && !tagsOf(match).some((tag) => tag === "*" || tag === etag)) return "failed";
  // A weak tag means the same content for who reads.
  if (noneMatch !== undefined && tagsOf(noneMatch).some((tag) => tag === "*" || tag.replace(/^W\//, "") === etag)) return "nothing new";
  return "content";
}

const tagsOf = (list: string): readonly string[] => list.split(",").map((tag) => tag.trim());

/** An answer with a tag, or what stands for it under the conditions of the request. It tells all headers but no content then. */
export function conditional(
  { method, headers }: Pick<WireRequest, "method" | "headers">,
  answer: WireResponse & { readonly headers: { readonly etag: string } },
): WireResponse {
  const asked = whatIsAsked(headers, answer.headers.etag);
  if (asked === "failed") return { status: 412, headers: { etag: answer.headers.etag } };
  if (asked === "nothing new") return { status: 304, headers: answer.headers };
  return method === "HEAD" ? { status: answer.status, headers: answer.headers } : answer;
}
