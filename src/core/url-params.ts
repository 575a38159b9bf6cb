// Masks the values of URL parameters that open doors: tokens of GitLab's and signatures of Amazon's.

import { maskedRunFilter } from "./masked-run.ts";

const sensitiveParams = [
  "private_token",
  "authenticity_token",
  "rss_token",
  "x-amz-signature",
  "x-amz-credential",
  "x-amz-security-token",
];

/** A value goes on until `?`, `&`, a space or a control character. */
const valueBytes = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte > 0x20 && byte !== 0x7f && byte !== 0x26 && byte !== 0x3f ? 1 : 0,
);

export const createUrlParamMask = maskedRunFilter({
  leads: sensitiveParams.flatMap((param) => [`?${param}=`, `&${param}=`]),
  anyCase: true,
  runBytes: valueBytes,
  masksEmptyRuns: true,
});
