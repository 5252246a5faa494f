/**
 * The form of an AWS region's name: `us-east-1`, `ap-southeast-7`, `us-isob-east-1`, `eusc-de-east-1`. Regions are made faster than lists of
 * them are kept: one that nobody here has heard of is one.
 * @see https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html
 */
export const REGION = /^[a-z]{2,4}(-[a-z]{2,})+-\d{1,2}$/;
