import { formatImageRef, parseImageRef, pinImageRef } from "../../kit/image-ref.ts";
import { findReferrers, type Referrer } from "../../oci/copy/referrers.ts";
import { type ImageToVerify, verifyImage, type View } from "../../release/images/lock/verify.ts";

/** A signature, SBOM or attestation that the cicd account has, as production finds it. */
export interface VerifiedReferrer extends Pick<Referrer, "digest" | "type" | "subject"> {
  /** As the definition writes the image that it belongs to. */
  readonly image: string;
  /** The image's address in production. */
  readonly target: string;
  /** What differs; empty: production has these bytes, and finds them from the image. */
  readonly problems: readonly string[];
}

/** One image as both accounts address it. */
export interface InBoth {
  readonly cicd: ImageToVerify;
  readonly production: ImageToVerify;
}

/** Proves that what refers to an image in the cicd account is there for production, too: the same bytes, found from the image. */
export async function verifyReferrers(
  views: { readonly cicd: View; readonly production: View },
  { cicd, production }: InBoth,
  deep: boolean,
): Promise<readonly VerifiedReferrer[]> {
  const at = { image: cicd.image, target: production.target };
  const wanted = await findIn(views.cicd, cicd);
  if (typeof wanted === "string")
    return [
      {
        ...at,
        digest: cicd.digest,
        subject: cicd.digest,
        type: "all that refers to it",
        problems: [`the cicd account does not tell: ${wanted}`],
      },
    ];
  if (wanted.length === 0) return [];
  const there = await findIn(views.production, production);
  return Promise.all(
    wanted.map(async (one): Promise<VerifiedReferrer> => {
      const target = formatImageRef(pinImageRef(parseImageRef(production.target), one.digest));
      const { problems } = await verifyImage(views.production, { image: cicd.image, target, digest: one.digest }, { deep });
      const unlisted = whyUnlisted(one, there);
      return { ...at, digest: one.digest, subject: one.subject, type: one.type, problems: problems.length > 0 ? problems : unlisted };
    }),
  );
}

/** What is wrong with how production lists what refers to an image, by what it found there. */
function whyUnlisted({ subject, tag, digest }: Referrer, found: readonly Referrer[] | string): readonly string[] {
  if (typeof found === "string") return [`production does not tell what refers to the image: ${found}`];
  if (found.some((one) => one.subject === subject && one.tag === tag && one.digest === digest)) return [];
  return [`production does not find it from the image${tag === undefined ? "" : ` by the tag ${tag}`}`];
}

/** What refers to an image, or why the registry does not tell. */
const findIn = ({ client }: View, { target, digest }: ImageToVerify): Promise<readonly Referrer[] | string> =>
  findReferrers(client.repository(parseImageRef(target)), digest).catch((error: Error) => error.message);
