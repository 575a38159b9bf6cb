import { expect, test } from "vitest";
import { variable } from "../../../src/stand-in/variables.ts";
import { runFolder } from "../../harness/project.ts";

const hidden = { masked: true, public: false };
const key = "-----BEGIN KEY-----\nMIIEpAIBAAKCAQEA7secret\nsecond+line/of=key\n-----END KEY-----";

const { job, trace, runner } = await runFolder(import.meta.url, {
  raw: [
    {
      name: "prints secrets",
      variables: [
        variable("GIT_STRATEGY", "none"),
        variable("SECRET", "p4ssw0rd-of-ours", hidden),
        variable("KEY", key, hidden),
        variable("KEY_FILE", key, { ...hidden, file: true }),
      ],
      script: [
        'for part in p4ss w0rd -of- ours; do printf "%s" "$part"; sleep 0.05; done; echo',
        'echo "$KEY"; cat "$KEY_FILE"; echo',
        'set -x; curl_like="https://user:$SECRET@example.com/?token=$SECRET"; ls "/$SECRET" || true; set +x',
        'echo "https://example.com/?private_token=abc123def&x=1 glpat-ABCDEFGHIJKLMNOPQRST"',
        'git ls-remote "http://user:$SECRET@127.0.0.1:1/x.git" || true',
        'git ls-remote "http://gitlab-ci-token:$CI_JOB_TOKEN@127.0.0.1:1/$SECRET.git" || true',
        '"$SECRET" || true',
        "echo kept > kept",
        'printf "%s" "$SECRET" | base64',
      ],
      artifacts: [{ paths: ["kept"], name: "of-$SECRET" }],
    },
    {
      name: "wrong address",
      variables: [variable("SECRET", "p4ssw0rd-of-ours", hidden)],
      script: ["true"],
      payload: {
        git_info: {
          repo_url: "http://gitlab-ci-token:p4ssw0rd-of-ours@127.0.0.1:1/group/project.git",
          sha: "0".repeat(40),
          before_sha: "0".repeat(40),
          ref: "main",
          ref_type: "branch",
          refspecs: ["+refs/heads/main:refs/remotes/origin/main"],
          depth: 1,
        },
      },
    },
  ],
});

const raw = (name: string) => job(name).trace().toString();

test("secrets split over writes, of several lines, in addresses, under set -x and in complaints never show", () => {
  const text = raw("prints secrets");
  expect(job("prints secrets").status).toBe("success");
  expect(text).not.toMatch(/p4ssw0rd|MIIEpAIB|second\+line|abc123def|ABCDEFGHIJ/);
  expect(text).not.toContain(job("prints secrets").token);
});

test("what a job encodes itself is not known for a secret: that is GitLab's design", () => {
  expect(raw("prints secrets")).toContain(Buffer.from("p4ssw0rd-of-ours").toString("base64"));
});

test("git's complaints about an address show no credentials of it", () => {
  expect(job("wrong address").status).toBe("failed");
  expect(trace("wrong address")).toMatch(/127\.0\.0\.1/);
  expect(raw("wrong address")).not.toContain("p4ssw0rd");
  expect(raw("wrong address")).not.toContain(job("wrong address").token);
});

test("what the runner and its agents say about themselves holds no secret", () => {
  const said = runner.diagnostics.join("\n") + JSON.stringify(runner.events);
  expect(said).not.toMatch(/p4ssw0rd|MIIEpAIB/);
  expect(said).not.toContain(runner.gitlab.runnerToken);
});

test("the result is that of the script's exit, whatever the log claims", () => {
  expect(job("forger")).toMatchObject({ status: "failed", exitCode: 3 });
  expect(trace("forger").trimEnd()).toMatch(/\nERROR: Job failed: exit code 3$/);
});

test("the runner's last words begin on a line of their own, in colours of their own", () => {
  const last = raw("forger").trimEnd().split("\n").at(-1);
  expect(last?.endsWith("\u001B[31;1mERROR: Job failed: exit code 3\u001B[0;m")).toBe(true);
});

test("an end-of-stage mark with a nonce that was never given out is the job's own text", () => {
  expect(trace("forger")).toContain(" goes on");
});

test("a line that does not end is shown, and what comes after it too", () => {
  expect(job("endless line").status).toBe("success");
  const text = trace("endless line");
  expect(text.includes("x".repeat(3_000_000))).toBe(true);
  expect(text.slice(text.lastIndexOf("x") + 1)).toContain("the line is over\n");
});
