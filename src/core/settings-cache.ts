// Where caches are kept: what config.toml has under [runners.cache], in snake_case.

import { choice, flag, section, text, whole } from "./settings-field.ts";

const s3 = section("a map about a bucket", {
  server_address: text("Host and port of an S3-compatible server; without it Amazon S3."),
  bucket_name: text("Name of the bucket."),
  bucket_location: text("Region of the bucket; without it the runner's own."),
  insecure: flag("Whether the server is spoken to without TLS.", false),
  server_side_encryption: choice(
    "How the server encrypts; without it as the bucket is set up.",
    ["", "S3", "KMS", "DSSE-KMS"],
    "",
  ),
  server_side_encryption_key_id: text("Id, ARN or alias of the KMS key."),
  dual_stack: flag("Whether Amazon's addresses for IPv4 and IPv6 are used.", true),
  path_style: choice(
    "Whether the bucket stands in the path of an address or in its host name.",
    ["auto", "path", "host"],
    "auto",
  ),
  accelerate: flag("Whether transfer acceleration is used.", false),
  role_arn: text("Role to assume for the bucket, where it belongs to another account."),
})
  .prefault({})
  .describe("The bucket of `type: s3`; without effect.");

export const cacheShape = {
  cache: section("a map about caches", {
    type: choice(
      "Where caches go: a directory for `burst run`, the deployment's bucket on AWS. `s3` is taken from a config.toml without effect; the job's log says so.",
      ["default", "s3"],
      "default",
    ),
    path: text("What the names of all caches begin with."),
    shared: flag("Whether runners share their caches.", false),
    max_uploaded_archive_size: whole("The largest cache that is kept, in bytes; 0 for any.", 0),
    s3,
  })
    .prefault({})
    .describe("Where caches are kept, and which."),
} as const;
