/** The part of Serverless's AWS provider that this uses. */
export interface AwsProvider {
  naming: { getStackName(): string; getCompiledTemplateS3Suffix(): string };
  getAwsSdkV3Config(): Promise<object>;
  getServerlessDeploymentBucketName(): Promise<string>;
  getDeploymentPrefix(): string;
  getStage(): string;
}

/**
 * The template of the stack that is deployed.
 * @returns undefined when there is no such stack
 */
export async function templateOfStack(provider: AwsProvider): Promise<unknown> {
  // Deploying alone needs AWS, and its SDK takes a while to load.
  const { CloudFormationClient, GetTemplateCommand } = await import("@aws-sdk/client-cloudformation");
  const client = new CloudFormationClient(await provider.getAwsSdkV3Config());
  try {
    const { TemplateBody = "" } = await client.send(
      new GetTemplateCommand({ StackName: provider.naming.getStackName() }),
    );
    return JSON.parse(TemplateBody);
  } catch (error) {
    if (error instanceof Error && /does not exist/.test(error.message)) return undefined;
    throw error;
  } finally {
    client.destroy();
  }
}

/**
 * The template that Serverless kept of an earlier deployment, which is what its `rollback` deploys.
 * @param timestamp as `serverless rollback` takes it: ISO 8601, or milliseconds since 1970
 * @returns undefined when there is none of that time
 */
export async function templateOfDeployment(
  provider: AwsProvider,
  service: string,
  timestamp: string,
): Promise<unknown> {
  const time = timeOf(timestamp);
  if (time === undefined) return undefined;
  const { GetObjectCommand, NoSuchKey, S3Client } = await import("@aws-sdk/client-s3");
  const client = new S3Client(await provider.getAwsSdkV3Config());
  const directory = `${provider.getDeploymentPrefix()}/${service}/${provider.getStage()}/${time.getTime()}-${time.toISOString()}`;
  try {
    const { Body } = await client.send(
      new GetObjectCommand({
        Bucket: await provider.getServerlessDeploymentBucketName(),
        Key: `${directory}/${provider.naming.getCompiledTemplateS3Suffix()}`,
      }),
    );
    return JSON.parse((await Body?.transformToString()) ?? "");
  } catch (error) {
    if (error instanceof NoSuchKey) return undefined;
    throw error;
  } finally {
    client.destroy();
  }
}

function timeOf(timestamp: string): Date | undefined {
  return [new Date(timestamp), new Date(Number(timestamp))].find((date) => !Number.isNaN(date.valueOf()));
}
