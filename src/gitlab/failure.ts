// Why there was no answer, as one sentence that says what to do. Pure: an error of the network or
// TLS layer in, text out; nothing of the request (so no token) can get into it.

export interface Destination {
  /** Host and port that was to be reached. */
  readonly host: string;
  /** Host and port of the proxy on the way, if any. */
  readonly proxy: string | undefined;
}

/** Our own reasons to end a request, told apart from the network's by their code. */
export class GaveUp extends Error {
  override readonly name = "GaveUp";
  readonly code: "BURST_TOTAL_TIMEOUT" | "BURST_CLOSED" | "BURST_ABORTED";

  constructor(code: GaveUp["code"], message: string) {
    super(message);
    this.code = code;
  }
}

export function describeFailure(error: unknown, destination: Destination): string {
  const code = codeOf(error);
  const { host } = destination;
  const sentence = certificateProblem(code, host, error) ?? protocolProblem(code, host, error);
  if (sentence !== undefined) return sentence;
  return (
    connectionProblem(code, destination, error) ??
    `The call to ${host} failed: ${plainMessage(error)}${code === "" ? "" : ` (${code})`}.`
  );
}

function certificateProblem(code: string, host: string, error: unknown): string | undefined {
  switch (code) {
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
    case "SELF_SIGNED_CERT_IN_CHAIN":
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
    case "UNABLE_TO_GET_ISSUER_CERT":
    case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
    case "CERT_UNTRUSTED":
      return `The certificate of ${host} is signed by an authority that this machine does not know: give that authority's certificate with --tls-ca-file (a self-signed certificate is its own authority).`;
    case "CERT_HAS_EXPIRED":
      return `The certificate of ${host} has expired: renew it there, or set this machine's clock right.`;
    case "CERT_NOT_YET_VALID":
      return `The certificate of ${host} is not valid yet: set the clock of this machine or of that one right.`;
    case "ERR_TLS_CERT_ALTNAME_INVALID":
    case "HOSTNAME_MISMATCH":
      return `The certificate of ${host} is made out to another name${namesOf(error)}: use the name it is made for in the URL.`;
    case "CERT_REVOKED":
    case "INVALID_PURPOSE":
    case "INVALID_CA":
    case "PATH_LENGTH_EXCEEDED":
    case "CERT_SIGNATURE_FAILURE":
    case "CERT_REJECTED":
      return `The certificate of ${host} cannot be accepted (${code}): it must be replaced there.`;
    default:
      return undefined;
  }
}

function protocolProblem(code: string, host: string, error: unknown): string | undefined {
  if (code === "ERR_SSL_WRONG_VERSION_NUMBER" || code === "ERR_SSL_PACKET_LENGTH_TOO_LONG") {
    return `${host} does not speak TLS: begin the URL with http:// or name the port where it does.`;
  }
  if (code === "ERR_SSL_UNSUPPORTED_PROTOCOL" || code.includes("PROTOCOL_VERSION")) {
    return `${host} speaks no TLS version that is still safe: it must offer TLS 1.2 or newer.`;
  }
  if (code === "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED") {
    return `${host} asks for a client certificate: give one with tls-cert-file and tls-key-file.`;
  }
  if (code.startsWith("ERR_SSL_") || code === "EPROTO") {
    return `The TLS handshake with ${host} failed (${code}${reasonOf(error)}): see what TLS settings it asks for.`;
  }
  const isUnparsable = error instanceof Error && error.name === "HTTPParserError";
  if (isUnparsable || code === "UND_ERR_HEADERS_OVERFLOW") {
    return `${host} does not answer in HTTP: see that host and port of the URL are GitLab's, and that it begins with the right one of http:// and https://.`;
  }
  return undefined;
}

function connectionProblem(
  code: string,
  destination: Destination,
  error: unknown,
): string | undefined {
  const { host, proxy } = destination;
  // What refuses, is unknown or silent while connecting is the proxy, where there is one.
  const dialed = proxy ?? host;
  const role = proxy === undefined ? "" : ` (the proxy for ${host})`;
  const where =
    proxy === undefined ? "the URL" : "HTTP_PROXY and HTTPS_PROXY, or name the host in NO_PROXY";
  switch (code) {
    case "ENOTFOUND":
      return `The host name of ${dialed}${role} is unknown: check ${where}, and this machine's DNS.`;
    case "EAI_AGAIN":
      return `The host name of ${dialed}${role} could not be looked up: DNS does not answer; check this machine's network.`;
    case "ECONNREFUSED":
      return `${dialed}${role} refuses the connection: nothing listens there; check ${where}.`;
    case "EHOSTUNREACH":
    case "ENETUNREACH":
    case "EHOSTDOWN":
      return `There is no way from this machine to ${dialed}${role} (${code}): check its network, routes and firewall.`;
    case "UND_ERR_CONNECT_TIMEOUT":
    case "ETIMEDOUT":
      return `${dialed}${role} did not take the connection in time: check ${where}, and the firewalls between.`;
    case "UND_ERR_HEADERS_TIMEOUT":
      return proxy === undefined
        ? `${host} took the request but did not answer in time.`
        : `${host}, or the proxy ${proxy} before it, did not answer in time.`;
    case "UND_ERR_BODY_TIMEOUT":
      return `${host} began to answer and then fell silent.`;
    case "UND_ERR_SOCKET":
    case "ECONNRESET":
    case "EPIPE":
      return `The connection to ${host}${proxy === undefined ? "" : ` through the proxy ${proxy}`} was cut before the answer was complete.`;
    case "BURST_TOTAL_TIMEOUT":
      return `The call to ${host} took too long and was given up.`;
    case "BURST_CLOSED":
      return `The call to ${host} was given up: the client is closed.`;
    case "BURST_ABORTED":
      return `The call to ${host} was given up.`;
    default:
      return proxyRefusal(destination, error);
  }
}

/** An HTTP status in reply to CONNECT has no error code of its own. */
function proxyRefusal(destination: Destination, error: unknown): string | undefined {
  if (destination.proxy === undefined || !(error instanceof Error)) return undefined;
  const [, status] =
    /Proxy response \((\d{3})\)/.exec(error.message) ??
    /Proxy Authentication Required \((407)\)/.exec(error.message) ??
    [];
  if (status === undefined) return undefined;
  return status === "407"
    ? `The proxy ${destination.proxy} asks for a user and password: put them into the proxy's URL (http://user:password@host:port).`
    : `The proxy ${destination.proxy} refuses to connect to ${destination.host} (HTTP ${status}): check its rules, or name the host in NO_PROXY.`;
}

/** The code that tells most: that of the error, of the first of several, or of what caused it. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return "";
  if ("code" in error && typeof error.code === "string" && error.code !== "UND_ERR_ABORTED") {
    if (error.code !== "UND_ERR_PRX_TLS") return error.code;
  }
  if (error instanceof AggregateError) {
    const codes = error.errors.map(codeOf).filter((code) => code !== "");
    if (codes[0] !== undefined) return codes[0];
  }
  return codeOf(error.cause);
}

function namesOf(error: unknown): string {
  const source = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(source instanceof Error) || !("cert" in source)) return "";
  const { cert } = source;
  if (typeof cert !== "object" || cert === null || !("subjectaltname" in cert)) return "";
  if (typeof cert.subjectaltname !== "string") return "";
  return ` (${cert.subjectaltname.replace(/\b(DNS|IP Address):/g, "").slice(0, 200)})`;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error) || !("reason" in error)) return "";
  return typeof error.reason === "string" ? `, ${error.reason}` : "";
}

function plainMessage(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/\s+/g, " ").replace(/\.$/, "").slice(0, 200);
}
