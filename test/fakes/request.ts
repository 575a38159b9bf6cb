// One call to AWS as the front sees it: whose it is, which service and action, on what.

import type { IncomingHttpHeaders } from "node:http";

export interface AwsRequest {
  readonly at: number;
  /** Access key id: the fakes give every function its own. "" for a request without a signature. */
  readonly caller: string;
  /** Session token: names the very process. */
  readonly session: string;
  /** As in a signature's scope: "ecs", "s3", "ssm", "lambda", "logs", "secretsmanager", "sqs", … */
  readonly service: string;
  /** As in a policy: "RunTask", "PutObject". */
  readonly action: string;
  /** What it is about, as far as the request says: bucket/key, name of a parameter, an ARN. */
  readonly resource: string;
  /** Its signature is part of the address. */
  readonly presigned: boolean;
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Parsed, where it is JSON; the text of a form; undefined for bytes. */
  readonly body: unknown;
  /** Filled in when it is known. */
  status: number | undefined;
}

export interface RawRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
}

export function readRequest(raw: RawRequest, at: number): AwsRequest {
  const { method, path, headers, bytes } = raw;
  const url = new URL(path, "http://aws");
  const credential =
    /Credential=([^,\s]+)/.exec(headers.authorization ?? "")?.[1] ??
    url.searchParams.get("X-Amz-Credential") ??
    "";
  const [caller = "", , , scope] = credential.split("/");
  const target = header(headers, "x-amz-target");
  const service = scope ?? serviceOfTarget(target) ?? "s3";
  // What is to be deleted is named nowhere else; other bodies of S3 are objects.
  const deletes = service === "s3" && method === "POST" && url.searchParams.has("delete");
  const body = deletes ? bytes.toString("utf8") : readBody(headers, bytes, service);
  const named = actionOf(service, { method, url, target, body });
  return {
    at,
    caller,
    session:
      header(headers, "x-amz-security-token") ||
      (url.searchParams.get("X-Amz-Security-Token") ?? ""),
    service,
    action: named,
    resource: resourceOf(service, url, body),
    presigned: url.searchParams.has("X-Amz-Signature"),
    method,
    path,
    headers,
    body,
    status: undefined,
  };
}

function header(headers: IncomingHttpHeaders, name: string): string {
  const value = headers[name];
  return (Array.isArray(value) ? value[0] : value) ?? "";
}

function serviceOfTarget(target: string): string | undefined {
  if (target.startsWith("AmazonEC2ContainerService")) return "ecs";
  return undefined;
}

function readBody(headers: IncomingHttpHeaders, bytes: Buffer, service: string): unknown {
  if (service === "s3" || bytes.length === 0) return undefined;
  const text = bytes.toString("utf8");
  if (/x-www-form-urlencoded/.test(headers["content-type"] ?? "")) return text;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

interface Named {
  readonly method: string;
  readonly url: URL;
  readonly target: string;
  readonly body: unknown;
}

function actionOf(service: string, { method, url, target, body }: Named): string {
  if (target !== "") return target.slice(target.lastIndexOf(".") + 1);
  if (service === "s3") return s3Action(method, url);
  if (service === "lambda") {
    return url.pathname.endsWith("/invocations") ? "Invoke" : `${method} ${url.pathname}`;
  }
  const form = typeof body === "string" ? new URLSearchParams(body).get("Action") : null;
  return form ?? url.searchParams.get("Action") ?? `${method} ${url.pathname}`;
}

function s3Action(method: string, url: URL): string {
  const { searchParams: query } = url;
  const [, bucket = "", ...rest] = url.pathname.split("/");
  const key = rest.join("/");
  if (bucket === "") return "ListBuckets";
  if (key === "") {
    if (method === "POST" && query.has("delete")) return "DeleteObjects";
    if (method === "GET") return query.has("location") ? "GetBucketLocation" : "ListObjectsV2";
    return { PUT: "CreateBucket", HEAD: "HeadBucket", DELETE: "DeleteBucket" }[method] ?? method;
  }
  if (query.has("uploads")) return "CreateMultipartUpload";
  if (query.has("uploadId")) {
    const parts = { PUT: "UploadPart", POST: "CompleteMultipartUpload" } as const;
    return method === "PUT" || method === "POST" ? parts[method] : "AbortMultipartUpload";
  }
  const plain: Readonly<Record<string, string>> = {
    GET: "GetObject",
    HEAD: "HeadObject",
    PUT: "PutObject",
    DELETE: "DeleteObject",
  };
  return plain[method] ?? method;
}

const resourceFields = [
  "taskDefinition",
  "task",
  "family",
  "resourceArn",
  "cluster",
  "Name",
  "Path",
  "SecretId",
  "logGroupName",
  "QueueUrl",
];

function resourceOf(service: string, url: URL, body: unknown): string {
  if (service === "s3") return decodeURIComponent(url.pathname.slice(1));
  const invoked = /\/functions\/([^/]+)\//.exec(url.pathname)?.[1];
  if (invoked !== undefined) return decodeURIComponent(invoked);
  if (typeof body !== "object" || body === null) return "";
  const found = Object.entries(body).find(([field]) => resourceFields.includes(field));
  return typeof found?.[1] === "string" ? found[1] : "";
}
