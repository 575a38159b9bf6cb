// Certificates for TLS tests, checked in so that no openssl is needed. They protect nothing; all but
// `expired` (ended in 2001) are valid from 2020 to 2120, for 127.0.0.1 and localhost unless said.

import { readFileSync } from "node:fs";

export interface KeyPair {
  readonly key: string;
  readonly cert: string;
}

export function certificateFile(name: string): string {
  return new URL(`certificates/${name}`, import.meta.url).pathname;
}

function pair(name: string): KeyPair {
  return {
    key: readFileSync(certificateFile(`${name}.key`), "utf8"),
    cert: readFileSync(certificateFile(`${name}.crt`), "utf8"),
  };
}

/** The authority that signed all but `selfSigned`. */
export const testCa = readFileSync(certificateFile("ca.crt"), "utf8");
export const forLocalhost = pair("server");
/** Made out to other.example.com. */
export const forOtherName = pair("other");
export const expired = pair("expired");
export const selfSigned = pair("self");
