import { DescribeImagesCommand, type ECRClient } from "@aws-sdk/client-ecr";

/**
 * The digest that ECR has under a tag or digest already. A manifest asked for by the registry's protocol, where a rule of the
 * pull-through cache fills the repository, has ECR bring the image; this does not.
 * @returns undefined where it has none
 * @throws the SDK's errors, AccessDeniedException among them
 */
export async function presentDigest(ecr: ECRClient, repositoryName: string, reference: string): Promise<string | undefined> {
  const id = reference.includes(":") ? { imageDigest: reference } : { imageTag: reference };
  try {
    const { imageDetails } = await ecr.send(new DescribeImagesCommand({ repositoryName, imageIds: [id] }));
    return imageDetails?.[0]?.imageDigest;
  } catch (error) {
    if (["ImageNotFoundException", "RepositoryNotFoundException"].includes((error as Error).name)) return undefined;
    throw error;
  }
}

/** The same, for who wants to know what was there before: without the right to look, what comes counts as new. */
export const presentBefore =
  (ecr: ECRClient) =>
  async (repository: string, reference: string): Promise<string | undefined> => {
    try {
      return await presentDigest(ecr, repository, reference);
    } catch (error) {
      if ((error as Error).name === "AccessDeniedException") return undefined;
      throw error;
    }
  };
