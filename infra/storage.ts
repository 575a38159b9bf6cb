// The two buckets: what we know of open jobs, and the jobs' caches. Both stay when the stack goes: claims are debts
// to GitLab, and a cache can be worth hours. docs/deploy.md says how to remove them.

import { Duration, RemovalPolicy, Validations } from "aws-cdk-lib";
import type { IKey } from "aws-cdk-lib/aws-kms";
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from "aws-cdk-lib/aws-s3";
import type { BucketProps } from "aws-cdk-lib/aws-s3";
import { Construct } from "constructs";

export interface StorageProps {
  readonly encryptionKey: IKey | undefined;
  readonly cacheExpiry: Duration;
}

export class Storage extends Construct {
  readonly state: Bucket;
  readonly cache: Bucket;

  constructor(scope: Construct, id: string, { encryptionKey, cacheExpiry }: StorageProps) {
    super(scope, id);
    const common: BucketProps = {
      ...(encryptionKey === undefined
        ? { encryption: BucketEncryption.S3_MANAGED }
        : { encryption: BucketEncryption.KMS, encryptionKey, bucketKeyEnabled: true }),
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      removalPolicy: RemovalPolicy.RETAIN,
    };
    this.state = new Bucket(this, "State", {
      ...common,
      lifecycleRules: [
        // What the sweeper should have removed long before. Never claims/: each is a job that GitLab waits for.
        { id: "left-of-jobs", prefix: "jobs/", expiration: Duration.days(14) },
        { id: "broken-uploads", abortIncompleteMultipartUploadAfter: Duration.days(1) },
      ],
    });
    this.cache = new Bucket(this, "Cache", {
      ...common,
      lifecycleRules: [
        { id: "old-caches", expiration: cacheExpiry },
        { id: "broken-uploads", abortIncompleteMultipartUploadAfter: Duration.days(1) },
      ],
    });
    for (const bucket of [this.state, this.cache]) {
      Validations.of(bucket).acknowledge({
        id: "AwsSolutions-S1",
        reason:
          "Access logs would need a third bucket, and be written by every poll. CloudTrail's data events say who read what where that is wanted.",
      });
    }
  }
}
