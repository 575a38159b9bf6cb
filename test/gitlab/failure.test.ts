import { expect, test } from "vitest";
import { describeFailure, GaveUp } from "../../src/gitlab/failure.ts";

function coded(code: string, more: object = {}): Error {
  return Object.assign(new Error(`low-level words of ${code}`), { code }, more);
}

const direct = { host: "gitlab.example.com:443", proxy: undefined };
const proxied = { host: "gitlab.example.com:443", proxy: "proxy.example.com:3128" };

test.each<[Error, string]>([
  [coded("ENOTFOUND"), "host name of gitlab.example.com:443 is unknown: check the URL"],
  [coded("EAI_AGAIN"), "DNS does not answer"],
  [coded("ECONNREFUSED"), "gitlab.example.com:443 refuses the connection: nothing listens there"],
  [coded("EHOSTUNREACH"), "no way from this machine"],
  [coded("ENETUNREACH"), "no way from this machine"],
  [coded("UND_ERR_CONNECT_TIMEOUT"), "did not take the connection in time"],
  [coded("ETIMEDOUT"), "did not take the connection in time"],
  [coded("UND_ERR_HEADERS_TIMEOUT"), "took the request but did not answer in time"],
  [coded("UND_ERR_BODY_TIMEOUT"), "fell silent"],
  [coded("UND_ERR_SOCKET"), "was cut before the answer was complete"],
  [coded("ECONNRESET"), "was cut"],
  [coded("EPIPE"), "was cut"],
  [coded("DEPTH_ZERO_SELF_SIGNED_CERT"), "--tls-ca-file"],
  [coded("SELF_SIGNED_CERT_IN_CHAIN"), "--tls-ca-file"],
  [coded("UNABLE_TO_VERIFY_LEAF_SIGNATURE"), "--tls-ca-file"],
  [coded("UNABLE_TO_GET_ISSUER_CERT_LOCALLY"), "--tls-ca-file"],
  [coded("CERT_HAS_EXPIRED"), "has expired: renew it there"],
  [coded("CERT_NOT_YET_VALID"), "not valid yet"],
  [
    coded("ERR_TLS_CERT_ALTNAME_INVALID", {
      cert: { subjectaltname: "DNS:other.example.com, IP Address:10.0.0.1" },
    }),
    "made out to another name (other.example.com, 10.0.0.1)",
  ],
  [coded("CERT_REVOKED"), "cannot be accepted (CERT_REVOKED)"],
  [coded("ERR_SSL_WRONG_VERSION_NUMBER"), "does not speak TLS: begin the URL with http://"],
  [coded("ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION"), "TLS 1.2 or newer"],
  [coded("ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED"), "client certificate"],
  [coded("ERR_SSL_NO_SHARED_CIPHER"), "The TLS handshake with gitlab.example.com:443 failed"],
  [coded("HPE_INVALID_CONSTANT", { name: "HTTPParserError" }), "does not answer in HTTP"],
  [new GaveUp("BURST_TOTAL_TIMEOUT", ""), "took too long"],
  [new GaveUp("BURST_CLOSED", ""), "the client is closed"],
  [new GaveUp("BURST_ABORTED", ""), "was given up"],
  [new TypeError("odd\n  thing."), "The call to gitlab.example.com:443 failed: odd thing."],
  [coded("EWEIRD"), "failed: low-level words of EWEIRD (EWEIRD)."],
  [new AggregateError([coded("ECONNREFUSED"), coded("ENETUNREACH")]), "refuses the connection"],
  [new Error("outer", { cause: coded("ENOTFOUND") }), "is unknown"],
])("without a proxy, %s", (error, said) => {
  const sentence = describeFailure(error, direct);
  expect(sentence).toContain(said);
  expect(sentence).toMatch(/^[^\n]+\.$/);
});

test.each<[Error, string]>([
  [coded("ENOTFOUND"), "proxy.example.com:3128 (the proxy for gitlab.example.com:443) is unknown"],
  [coded("ECONNREFUSED"), "check HTTP_PROXY and HTTPS_PROXY, or name the host in NO_PROXY"],
  [coded("ECONNRESET"), "through the proxy proxy.example.com:3128 was cut"],
  [coded("CERT_HAS_EXPIRED"), "The certificate of gitlab.example.com:443 has expired"],
  [
    Object.assign(new Error("Proxy response (403) !== 200 when HTTP Tunneling"), {
      code: "UND_ERR_ABORTED",
    }),
    "The proxy proxy.example.com:3128 refuses to connect to gitlab.example.com:443 (HTTP 403)",
  ],
  [
    Object.assign(new Error("Proxy response (407) !== 200 when HTTP Tunneling"), {
      code: "UND_ERR_ABORTED",
    }),
    "asks for a user and password",
  ],
])("through a proxy, %s", (error, said) => {
  expect(describeFailure(error, proxied)).toContain(said);
});

test("what is no error at all still makes a sentence", () => {
  expect(describeFailure(undefined, direct)).toBe(
    "The call to gitlab.example.com:443 failed: undefined.",
  );
});
