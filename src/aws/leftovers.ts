// What an environment leaves behind when its stack is gone: found by the tag that everything of it has, or by names that
// only it can have. Each kind is listed and removed by itself.

import {
  DeleteLogGroupCommand,
  ListTagsForResourceCommand,
  paginateDescribeLogGroups,
} from "@aws-sdk/client-cloudwatch-logs";
import type { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import {
  DeleteBucketCommand,
  DeleteObjectsCommand,
  GetBucketTaggingCommand,
  ListBucketsCommand,
  ListObjectVersionsCommand,
} from "@aws-sdk/client-s3";
import type { S3Client } from "@aws-sdk/client-s3";

/** Everything of the stack carries it; its value is the environment's name. */
const tagKey = "gitlab-burst";

export async function taggedBuckets(client: S3Client, environment: string): Promise<string[]> {
  const found: string[] = [];
  const { Buckets = [] } = await client.send(new ListBucketsCommand({}));
  for (const { Name } of Buckets) {
    if (Name === undefined) continue;
    const { TagSet = [] } = await client
      .send(new GetBucketTaggingCommand({ Bucket: Name }))
      // Without tags, of another region, or not ours to look at: none of this environment's.
      .catch(() => ({ TagSet: [] }));
    if (TagSet.some(({ Key, Value }) => Key === tagKey && Value === environment)) found.push(Name);
  }
  return found;
}

/** With every version of every object in it. */
export async function removeBucket(client: S3Client, bucket: string): Promise<void> {
  for (;;) {
    const page = await client.send(new ListObjectVersionsCommand({ Bucket: bucket }));
    const objects = [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])].map(
      ({ Key, VersionId }) => ({ Key, VersionId }),
    );
    if (objects.length === 0) break;
    await client.send(
      new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: objects, Quiet: true } }),
    );
  }
  await client.send(new DeleteBucketCommand({ Bucket: bucket }));
}

export async function taggedLogGroups(
  client: CloudWatchLogsClient,
  environment: string,
): Promise<string[]> {
  const found: string[] = [];
  for await (const { logGroups = [] } of paginateDescribeLogGroups({ client }, {})) {
    for (const { logGroupName, arn = "" } of logGroups) {
      if (logGroupName === undefined) continue;
      const resourceArn = arn.replace(/:\*$/, "");
      const { tags = {} } = await client.send(new ListTagsForResourceCommand({ resourceArn }));
      if (tags[tagKey] === environment) found.push(logGroupName);
    }
  }
  return found;
}

export async function removeLogGroup(
  client: CloudWatchLogsClient,
  logGroupName: string,
): Promise<void> {
  await client.send(new DeleteLogGroupCommand({ logGroupName }));
}
