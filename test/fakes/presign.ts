// What S3 holds against an address that carries its signature, and moto does not: that it is over, or that a header
// which was signed is missing.

import type { AwsRequest } from "./request.ts";

/** The body of a 403; undefined: all is well. */
export function presignTrouble(request: AwsRequest, now: number): string | undefined {
  if (request.service !== "s3" || !request.presigned) return undefined;
  const { searchParams: query } = new URL(request.path, "http://aws");
  const begins = readDate(query.get("X-Amz-Date") ?? "");
  const seconds = Number(query.get("X-Amz-Expires"));
  if (Number.isNaN(begins) || Number.isNaN(seconds) || seconds < 1 || seconds > 604_800) {
    return problem("AuthorizationQueryParametersError", "X-Amz-Expires must be from 1 to 604800");
  }
  if (now > begins + seconds * 1000) return problem("AccessDenied", "Request has expired");
  const signed = (query.get("X-Amz-SignedHeaders") ?? "").split(";");
  const missing = signed.find((name) => name !== "host" && request.headers[name] === undefined);
  if (missing !== undefined) {
    return problem("SignatureDoesNotMatch", `the signed header ${missing} is missing`);
  }
  const unsigned = Object.keys(request.headers).find(
    (name) => name.startsWith("x-amz-") && !signed.includes(name),
  );
  if (unsigned !== undefined) {
    return problem("AccessDenied", `There were headers present which were not signed: ${unsigned}`);
  }
  return undefined;
}

function readDate(text: string): number {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (match === null) return Number.NaN;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1)
    .map(Number);
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

function problem(code: string, message: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`;
}
