// Names and shapes on the wire, as GitLab has them. Only what we read is described; the rest of a
// reply is ignored.

import * as z from "zod";
import { Secret } from "../core/secret.ts";

/** Headers that carry a token. They go to GitLab's own host and nowhere else. */
export const jobTokenHeader = "JOB-TOKEN";
export const runnerTokenHeader = "RUNNER-TOKEN";
export const accessTokenHeader = "PRIVATE-TOKEN";

export const requestIdHeader = "X-Request-Id";

/** Headers of replies, in lower case as Node gives them. */
export const replyHeader = {
  contentType: "content-type",
  jobStatus: "job-status",
  lastUpdate: "x-gitlab-last-update",
  location: "location",
  range: "range",
  rateLimitResetTime: "ratelimit-resettime",
  requestId: "x-request-id",
  retryAfter: "retry-after",
  updateInterval: "x-gitlab-trace-update-interval",
} as const;

const token = z
  .string()
  .min(1)
  .transform((value) => new Secret(value));

const optionalText = z
  .string()
  .nullish()
  .transform((value) => value ?? undefined);

/** What a claim must have to be owned: whatever else the payload is, this job is ours now. */
export const claimSchema = z.object({ id: z.number().int(), token });

/** `POST /runners`, `POST /runners/verify`, `POST /user/runners`. */
export const runnerSchema = z.object({
  id: z
    .number()
    .int()
    .nullish()
    .transform((value) => value ?? undefined),
  token: z
    .string()
    .nullish()
    .transform((value) => (value ? new Secret(value) : undefined)),
  token_expires_at: optionalText,
});

export const registeredRunnerSchema = z.object({
  id: z.number().int(),
  token,
  token_expires_at: optionalText,
});

/** Both `reset_authentication_token` calls. */
export const resetTokenSchema = z.object({ token, token_expires_at: optionalText });

/** `message` is a text, or the complaints per field of a form. */
export const problemSchema = z.object({
  message: z.union([z.string(), z.record(z.string(), z.unknown())]).nullish(),
  error: z.string().nullish(),
  error_description: z.string().nullish(),
});
