// The keys whose meaning the local accounts know: they are in the request whenever AWS would have them there, so that
// one that is missing means the same as on AWS. A service that learns to supply a key adds it here.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
// https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html

/** Supplied by `conditionContext`, or by the service where they speak of its resources and requests. */
const SUPPLIED = `
aws:CalledVia aws:CalledViaFirst aws:CalledViaLast aws:CurrentTime aws:EpochTime aws:MultiFactorAuthPresent
aws:PrincipalAccount aws:PrincipalArn aws:PrincipalIsAWSService aws:PrincipalServiceName aws:PrincipalServiceNamesList
aws:PrincipalType aws:Referer aws:RequestedRegion aws:ResourceAccount aws:SecureTransport aws:SourceAccount aws:SourceArn
aws:SourceIdentity aws:SourceIp aws:SourceOwner aws:TagKeys aws:TokenIssueTime aws:UserAgent aws:ViaAWSService aws:userid aws:username
cloudformation:ChangeSetName cloudformation:CreateAction cloudformation:ImportResourceTypes cloudformation:ResourceTypes
cloudformation:RoleArn cloudformation:StackPolicyUrl cloudformation:TemplateUrl
codecommit:References
events:creatorAccount events:detail-type events:EventBusArn events:ManagedBy events:source events:TargetArn
iam:AssociatedResourceArn iam:AWSServiceName iam:PassedToService iam:PolicyARN
kms:BypassPolicyLockoutSafetyCheck kms:CallerAccount kms:EncryptionAlgorithm kms:EncryptionContextKeys
kms:GrantIsForAWSResource kms:KeyOrigin kms:KeySpec kms:KeyUsage kms:MultiRegion kms:RequestAlias kms:ResourceAliases
kms:ScheduleKeyDeletionPendingWindowInDays kms:ViaService
lambda:FunctionArn lambda:FunctionUrlAuthType lambda:InvokedViaFunctionUrl lambda:Layer lambda:Principal
lambda:SourceFunctionArn
s3:authType s3:delimiter s3:if-match s3:if-none-match s3:LocationConstraint s3:max-keys s3:ObjectCreationOperation s3:prefix
s3:RequestObjectTagKeys s3:ResourceAccount s3:signatureAge s3:signatureversion s3:TlsVersion s3:versionid s3:x-amz-acl
s3:x-amz-content-sha256 s3:x-amz-copy-source s3:x-amz-metadata-directive s3:x-amz-server-side-encryption
s3:x-amz-server-side-encryption-aws-kms-key-id s3:x-amz-server-side-encryption-customer-algorithm s3:x-amz-storage-class
s3:x-amz-website-redirect-location
secretsmanager:Name secretsmanager:SecretId secretsmanager:VersionId secretsmanager:VersionStage
sns:Endpoint sns:Protocol
ssm:Overwrite ssm:Recursive
states:StateMachineQualifier
sts:AWSServiceName sts:DurationSeconds sts:ExternalId sts:RoleSessionName sts:SourceIdentity sts:TransitiveTagKeys`;

/** Absent here as they would be on AWS: there is no organization, no VPC, no MFA device, no federation, no boundary. */
const ABSENT = `
aws:AssumedRoot aws:ChatbotSourceArn aws:Ec2InstanceSourcePrivateIPv4 aws:Ec2InstanceSourceVpc aws:FederatedProvider
aws:MultiFactorAuthAge aws:PrincipalOrgID aws:PrincipalOrgPaths aws:ResourceOrgID aws:ResourceOrgPaths aws:SourceOrgID
aws:SourceOrgPaths aws:SourceVpc aws:SourceVpcArn aws:SourceVpce aws:VpceAccount aws:VpceOrgID aws:VpceOrgPaths
aws:VpcSourceIp
ec2:RoleDelivery ec2:SourceInstanceArn iam:PermissionsBoundary lambda:VpcIds lambda:SubnetIds lambda:SecurityGroupIds
s3:AccessPointNetworkOrigin s3:DataAccessPointAccount s3:DataAccessPointArn s3:object-lock-legal-hold s3:object-lock-mode
s3:object-lock-remaining-retention-days s3:object-lock-retain-until-date s3:x-amz-grant-full-control s3:x-amz-grant-read
s3:x-amz-grant-read-acp s3:x-amz-grant-write s3:x-amz-grant-write-acp s3:x-amz-object-ownership`;

const KEYS = new Set(`${SUPPLIED}\n${ABSENT}`.trim().toLowerCase().split(/\s+/));

/** Keys that end in the name of a tag or of an entry of the encryption context. */
const FAMILIES = [
  "aws:principaltag/",
  "aws:requesttag/",
  "aws:resourcetag/",
  "codebuild:resourcetag/",
  "ecr:resourcetag/",
  "iam:resourcetag/",
  "kms:encryptioncontext:",
  "lambda:resourcetag/",
  "s3:buckettag/",
  "s3:existingobjecttag/",
  "s3:requestobjecttag/",
  "secretsmanager:resourcetag/",
  "ssm:resourcetag/",
  "states:resourcetag/",
] as const;

/** Whether the absence of the key in a request means what it means on AWS. The key is given in lower case. */
export const isKnownConditionKey = (lowerCaseKey: string): boolean =>
  KEYS.has(lowerCaseKey) || FAMILIES.some((family) => lowerCaseKey.startsWith(family));
