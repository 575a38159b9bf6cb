// S3, Parameter Store and Secrets Manager in this process's memory, as far as our functions use them: for runs with so
// many calls that an emulator would take most of their time.

import { createHash } from "node:crypto";
import type { Answer } from "./front.ts";
import type { AwsRequest, RawRequest } from "./request.ts";

interface Stored {
  readonly bytes: Buffer;
  readonly etag: string;
  readonly at: number;
}

interface StoredSecret {
  readonly name: string;
  readonly arn: string;
  readonly at: number;
}

export interface MemoryAws {
  /** By bucket and key: `bucket/key`. */
  readonly objects: ReadonlyMap<string, Stored>;
  readonly secrets: ReadonlyMap<string, StoredSecret>;
  putParameter(name: string, value: string, secure?: boolean): void;
  /** undefined: nothing of ours. */
  answer(request: AwsRequest, raw: RawRequest): Answer | undefined;
}

const account = "us-east-1:123456789012";

/** `onPut` hears of every object that was written. */
export function createMemoryAws(
  now: () => number,
  onPut: (key: string, bytes: Buffer) => void = () => undefined,
): MemoryAws {
  const objects = new Map<string, Stored>();
  const secrets = new Map<string, StoredSecret>();
  const parameters = new Map<string, object & { readonly Type: string; readonly Value: string }>();

  const services: Readonly<Record<string, (request: AwsRequest, raw: RawRequest) => Answer>> = {
    s3: (request, raw) => {
      const answer = s3(objects, now, request, raw);
      if (request.action === "PutObject" && answer.status === 200)
        onPut(request.resource, raw.bytes);
      return answer;
    },
    ssm: ({ action, body }) => {
      const input = body as { Path?: string; Names?: string[]; WithDecryption?: boolean };
      const all = [...parameters].map(([Name, value]) => ({ Name, ...value }));
      if (action === "GetParametersByPath") {
        const found = all.filter(({ Name }) => Name.startsWith(`${input.Path}/`));
        return json(200, {
          Parameters: found.map((one) =>
            one.Type === "SecureString" ? { ...one, Value: "AQICAHencrypted" } : one,
          ),
        });
      }
      if (action !== "GetParameters") return unknown(action);
      const found = all.filter(({ Name }) => input.Names?.includes(Name));
      return json(200, { Parameters: found, InvalidParameters: [] });
    },
    secretsmanager: ({ action, body }) => secretsManager(secrets, now, action, body),
  };
  return {
    objects,
    secrets,
    putParameter(name, Value, secure = false) {
      const Type = secure ? "SecureString" : "String";
      parameters.set(name, { Type, Value, Version: 1, LastModifiedDate: now() / 1000 } as never);
    },
    answer: (request, raw) => services[request.service]?.(request, raw),
  };
}

function s3(
  objects: Map<string, Stored>,
  now: () => number,
  request: AwsRequest,
  raw: RawRequest,
): Answer {
  const { action, resource, headers } = request;
  const stored = objects.get(resource);
  switch (action) {
    case "GetObject":
    case "HeadObject": {
      if (stored === undefined) return xmlError(404, "NoSuchKey");
      const { bytes, etag, at } = stored;
      return {
        status: 200,
        headers: {
          etag,
          "last-modified": new Date(at).toUTCString(),
          "content-length": String(bytes.length),
        },
        body: action === "GetObject" ? bytes : "",
      };
    }
    case "PutObject": {
      const match = headers["if-match"];
      if (headers["if-none-match"] === "*" && stored !== undefined) {
        return xmlError(412, "PreconditionFailed");
      }
      if (match !== undefined && stored === undefined) return xmlError(404, "NoSuchKey");
      if (match !== undefined && stored?.etag !== match) return xmlError(412, "PreconditionFailed");
      const etag = `"${createHash("md5").update(raw.bytes).digest("hex")}"`;
      objects.set(resource, { bytes: raw.bytes, etag, at: now() });
      return { status: 200, headers: { etag }, body: "" };
    }
    case "DeleteObjects": {
      const keys = raw.bytes.toString("utf8").matchAll(/<Key>([^<]*)<\/Key>/g);
      const bucket = resource.replace(/\/$/, "");
      for (const [, key = ""] of keys) objects.delete(`${bucket}/${key}`);
      return xml(200, "<DeleteResult/>");
    }
    case "ListObjectsV2":
      return listing(objects, request);
    default:
      return xmlError(501, "NotImplemented");
  }
}

function listing(objects: ReadonlyMap<string, Stored>, request: AwsRequest): Answer {
  const { searchParams: query } = new URL(request.path, "http://aws");
  const bucket = request.resource.replace(/\/$/, "");
  const prefix = query.get("prefix") ?? "";
  const from = Number(query.get("continuation-token") ?? "0");
  const keys = [...objects.keys()]
    .filter((name) => name.startsWith(`${bucket}/${prefix}`))
    .toSorted();
  const page = keys.slice(from, from + 1000).map((name) => {
    const { at, bytes, etag } = objects.get(name)!;
    const key = name.slice(bucket.length + 1);
    return `<Contents><Key>${key}</Key><LastModified>${new Date(at).toISOString()}</LastModified><ETag>${etag}</ETag><Size>${bytes.length}</Size></Contents>`;
  });
  const more = from + 1000 < keys.length;
  const rest = more ? `<NextContinuationToken>${from + 1000}</NextContinuationToken>` : "";
  return xml(
    200,
    `<ListBucketResult><IsTruncated>${more}</IsTruncated>${rest}${page.join("")}</ListBucketResult>`,
  );
}

function secretsManager(
  secrets: Map<string, StoredSecret>,
  now: () => number,
  action: string,
  body: unknown,
): Answer {
  const { Name = "", SecretId = "" } = body as { Name?: string; SecretId?: string };
  const missing = () => json(400, { __type: "ResourceNotFoundException", message: "no secret" });
  const found = secrets.get(SecretId);
  switch (action) {
    case "CreateSecret": {
      if (secrets.has(Name)) {
        return json(400, { __type: "ResourceExistsException", message: "there is one" });
      }
      const arn = `arn:aws:secretsmanager:${account}:secret:${Name}-AbCdEf`;
      secrets.set(Name, { name: Name, arn, at: now() });
      return json(200, { ARN: arn, Name });
    }
    case "DescribeSecret":
      return found === undefined ? missing() : json(200, { ARN: found.arn, Name: found.name });
    case "DeleteSecret":
      return secrets.delete(SecretId) ? json(200, { Name: SecretId }) : missing();
    case "ListSecrets":
      return json(200, {
        SecretList: [...secrets.values()].map(({ name, arn, at }) => ({
          Name: name,
          ARN: arn,
          CreatedDate: at / 1000,
        })),
      });
    default:
      return unknown(action);
  }
}

function unknown(action: string): Answer {
  return json(400, { __type: "InvalidAction", message: `this fake does not know ${action}` });
}

function json(status: number, body: unknown): Answer {
  const headers = { "content-type": "application/x-amz-json-1.1" };
  return { status, headers, body: JSON.stringify(body) };
}

function xml(status: number, body: string): Answer {
  const text = `<?xml version="1.0" encoding="UTF-8"?>${body}`;
  return { status, headers: { "content-type": "application/xml" }, body: text };
}

function xmlError(status: number, code: string): Answer {
  return xml(status, `<Error><Code>${code}</Code><Message>${code}</Message></Error>`);
}
