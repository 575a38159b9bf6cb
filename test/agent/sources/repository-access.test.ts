import { expect, test } from "vitest";
import { repositoryAccess } from "../../../src/agent/sources/repository-access.ts";
import { makeJob, token, vars } from "./stage.ts";

interface Case {
  readonly repositoryUrl?: string;
  readonly cloneUrl?: string;
  readonly variables?: Readonly<Record<string, string>>;
  readonly forceHttps?: boolean;
}

function access({ repositoryUrl, cloneUrl, variables = {}, forceHttps = false }: Case) {
  const job = makeJob(repositoryUrl === undefined ? {} : { repositoryUrl });
  return repositoryAccess({ job, variables: vars(variables), cloneUrl, forceHttps });
}

const server = {
  CI_SERVER_URL: "https://gitlab.example.com",
  CI_SERVER_HOST: "gitlab.example.com",
};
const tokenUrl = `https://gitlab-ci-token:${token}@gitlab.example.com/group/project.git`;

test("the remote has no credentials; they are the address's", () => {
  const found = access({ repositoryUrl: "https://some:p%40ss@gitlab.example.com/g/p.git" });
  expect(found.remoteUrl).toBe("https://gitlab.example.com/g/p.git");
  expect([found.user, found.password.reveal()]).toEqual(["some", "p@ss"]);
});

test("an address without credentials is used with the job's token", () => {
  const found = access({});
  expect([found.user, found.password.reveal()]).toEqual(["gitlab-ci-token", token]);
});

test("the token is for GitLab's addresses only: the remote's, the payload's, CI_SERVER_URL's", () => {
  const cloneUrl = "http://internal:8080/root";
  const variables = { CI_SERVER_URL: "https://gitlab.example.com/root", CI_PROJECT_PATH: "g/p" };
  const found = access({ repositoryUrl: tokenUrl, cloneUrl, variables });
  expect(found.remoteUrl).toBe("http://internal:8080/root/g/p.git");
  expect(found.origins).toEqual(["http://internal:8080", "https://gitlab.example.com"]);
});

test("a clone_url over ssh is used as it is, by the user git", () => {
  const found = access({ cloneUrl: "ssh://gitlab.example.com:2222", variables: server });
  expect(found.remoteUrl).toBe("ssh://git@gitlab.example.com:2222/group/project.git");
  expect(found.rewrites).toEqual([{ from: found.remoteUrl, to: found.remoteUrl }]);
});

test.each<[string, Case, readonly (readonly [string, string])[]]>([
  [
    "the usual port",
    { variables: server },
    [
      ["git@gitlab.example.com:", "https://gitlab.example.com/"],
      ["ssh://git@gitlab.example.com", "https://gitlab.example.com"],
    ],
  ],
  [
    "a port and host of ssh's own",
    {
      variables: {
        ...server,
        CI_SERVER_SHELL_SSH_HOST: "ssh.example.com",
        CI_SERVER_SHELL_SSH_PORT: "2222",
      },
    },
    [["ssh://git@ssh.example.com:2222", "https://gitlab.example.com"]],
  ],
  [
    "clone_url",
    { variables: server, cloneUrl: "http://internal" },
    [
      ["git@gitlab.example.com:", "http://internal/"],
      ["ssh://git@gitlab.example.com", "http://internal"],
    ],
  ],
  ["clone_url over ssh", { variables: server, cloneUrl: "ssh://git@internal" }, []],
])("GIT_SUBMODULE_FORCE_HTTPS with %s", (_case, input, expected) => {
  const [, ...ssh] = access({ ...input, forceHttps: true }).rewrites;
  expect(ssh.map(({ from, to }) => [from, to])).toEqual(expected);
});

test("an address that is none is refused without showing it", () => {
  expect(() => access({ repositoryUrl: `gitlab-ci-token:${token}@host/x` })).not.toThrow(token);
  expect(() => access({ repositoryUrl: "https://[broken" })).toThrow(
    "the job's git_info.repo_url is not a URL",
  );
});
