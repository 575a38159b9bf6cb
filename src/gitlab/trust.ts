// Whom we trust over TLS: Node's roots, the machine's own (as git and GitLab's runner do), and the
// extra CA that was configured. Node drops all others as soon as one is given, so they are joined here.

import { X509Certificate } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import * as tls from "node:tls";
import { SettingsError } from "../core/errors.ts";
import type { Environment } from "./proxy.ts";

export interface TlsOptions {
  /** Certificates of an extra CA, as PEM text. */
  readonly ca?: string | undefined;
  /** The same in a file: `--tls-ca-file`. */
  readonly caFile?: string | undefined;
  /** A client certificate and its key, for a GitLab that asks for one. */
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
}

export interface Trust {
  /** For GitLab's own host: shows the client certificate, if there is one. */
  readonly gitlab: () => tls.SecureContext;
  /** For every other host (object storage, an https proxy). */
  readonly others: () => tls.SecureContext;
}

interface ClientPair {
  readonly cert: string;
  readonly key: string;
}

/** Reads and checks what was configured now; makes the contexts when the first connection needs them. */
export function readTrust(options: TlsOptions, env: Environment): Trust {
  const extra = [
    ...(options.ca === undefined
      ? []
      : [
          checkedPem(
            options.ca,
            "The extra CA (--tls-ca-file, or tls_ca_certificate in the settings)",
          ),
        ]),
    ...(options.caFile === undefined
      ? []
      : [checkedPem(readPem(options.caFile, "--tls-ca-file"), options.caFile)]),
  ];
  if ((options.certFile === undefined) !== (options.keyFile === undefined)) {
    throw new SettingsError("A client certificate needs both tls-cert-file and tls-key-file.");
  }
  const pair =
    options.certFile === undefined || options.keyFile === undefined
      ? undefined
      : {
          cert: readPem(options.certFile, "tls-cert-file"),
          key: readPem(options.keyFile, "tls-key-file"),
        };
  if (pair !== undefined) checkPair(pair);
  const others = once(() => context(extra, env, undefined));
  return { others, gitlab: pair === undefined ? others : once(() => context(extra, env, pair)) };
}

function context(
  extra: readonly string[],
  env: Environment,
  pair: ClientPair | undefined,
): tls.SecureContext {
  const ca = [...new Set([...nodeRoots(), ...machineRoots(env), ...extra].flatMap(certificates))];
  return tls.createSecureContext({ ca, minVersion: "TLSv1.2", ...pair });
}

function checkPair(pair: ClientPair): void {
  try {
    tls.createSecureContext({ ...pair });
  } catch (cause) {
    throw new SettingsError(
      "The client certificate cannot be used: tls-cert-file and tls-key-file must be a matching pair in PEM format, the key without a passphrase.",
      { cause },
    );
  }
}

function nodeRoots(): readonly string[] {
  // Newer Node: also what NODE_EXTRA_CA_CERTS and --use-system-ca add.
  const { getCACertificates } = tls as { getCACertificates?: (type: "default") => string[] };
  return getCACertificates?.("default") ?? tls.rootCertificates;
}

const bundles = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

/** The machine's store. One that cannot be read is no reason to stop: Node's roots remain. */
function machineRoots(env: Environment): readonly string[] {
  const system = env["SSL_CERT_FILE"] || bundles.find((file) => existsSync(file));
  return [system, env["NODE_EXTRA_CA_CERTS"]].flatMap((file) => {
    if (file === undefined || file === "") return [];
    try {
      return [readFileSync(file, "utf8")];
    } catch {
      return [];
    }
  });
}

function certificates(pem: string): readonly string[] {
  const found = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  // One spelling for each, so that the same root from two stores is read only once.
  return found.map((text) => {
    const body = text.replace(/-----[A-Z ]+-----|\s/g, "").replace(/.{64}(?=.)/g, "$&\n");
    return `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`;
  });
}

function readPem(file: string, setting: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new SettingsError(`${setting}: the file ${file} cannot be read.`, { cause });
  }
}

function checkedPem(pem: string, name: string): string {
  const found = certificates(pem);
  if (found.length === 0) {
    throw new SettingsError(
      `${name} holds no certificate: a CA is given in PEM format ("-----BEGIN CERTIFICATE-----").`,
    );
  }
  for (const certificate of found) {
    try {
      new X509Certificate(certificate);
    } catch (cause) {
      throw new SettingsError(`${name} holds a certificate that cannot be read.`, { cause });
    }
  }
  return pem;
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
