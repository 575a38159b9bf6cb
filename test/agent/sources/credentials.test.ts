import { readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { startGitServer } from "./git-server.ts";
import type { GitServerOptions } from "./git-server.ts";
import { git, makeProject, plainEnvironment, temporaryFolder } from "./project.ts";
import {
  makeJob,
  projectDirOf,
  recordingLog,
  runStage,
  scriptGit,
  scriptGitOnline,
} from "./stage.ts";
import { token, withToken } from "./stage.ts";

async function privateProject(misbehave?: GitServerOptions["misbehave"]) {
  const folder = temporaryFolder();
  const root = join(folder, "server");
  const project = makeProject(folder, "server/group/project");
  const sha = project.commit({ "a.txt": "one" });
  const server = await startGitServer({
    root,
    credentials: { user: "gitlab-ci-token", password: token },
    ...(misbehave === undefined ? {} : { misbehave }),
  });
  onTestFinished(() => server.close());
  const repositoryUrl = withToken(server.origin, "group/project");
  return { folder, project, sha, server, repositoryUrl, job: makeJob({ repositoryUrl, sha }) };
}

/** Every file below these folders, as bytes. */
function filesBelow(...folders: readonly string[]): readonly (readonly [string, Buffer])[] {
  return folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path, readFileSync(path)] as const),
  );
}

test("C61 the remote's address in .git/config holds no token", async () => {
  const { folder, server, job } = await privateProject();
  await runStage({ folder, job });
  const config = readFileSync(join(projectDirOf(folder), ".git/config"), "utf8");
  const url = scriptGit(folder, ["config", "remote.origin.url"]);
  expect(url).toBe(`${server.origin}/group/project.git`);
  expect(config).not.toContain(token);
});

test("after the stage no file in the project or its temporary folder holds the token", async () => {
  const { folder, job } = await privateProject();
  await runStage({ folder, job });
  const encoded = Buffer.from(`gitlab-ci-token:${token}`).toString("base64");
  const project = projectDirOf(folder);
  const holders = filesBelow(project, `${project}.tmp`)
    .filter(([, bytes]) => bytes.includes(token) || bytes.includes(encoded))
    .map(([path]) => path);
  expect(holders).toEqual([]);
});

test("while git runs, no command line on the machine shows the token", async () => {
  const commandLines: string[] = [];
  const stop = new AbortController();
  const { folder, job } = await privateProject(({ path }) => {
    if (!path.includes("info/refs")) return undefined;
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      try {
        commandLines.push(readFileSync(`/proc/${pid}/cmdline`, "utf8"));
      } catch {
        // It has ended meanwhile.
      }
    }
    stop.abort(new Error("seen enough"));
    return "hang";
  });
  const stage = runStage({ folder, job, more: { signal: stop.signal } });
  await expect(stage).rejects.toThrow("seen enough");
  expect(commandLines.some((line) => line.includes("remote-http"))).toBe(true);
  expect(commandLines.filter((line) => line.includes(token))).toEqual([]);
});

test("the first request carries the token, the runner's name and GitLab's correlation id", async () => {
  const { folder, server, job } = await privateProject();
  const log = await runStage({ folder, job, more: { correlationId: "0123abc" } });
  const [first] = server.requests;
  expect(first?.headers.authorization).toMatch(/^Basic /);
  expect(first?.headers["user-agent"]).toBe("gitlab-burst 0.1.0");
  expect(first?.headers["x-gitaly-correlation-id"]).toBe("0123abc");
  expect(log.said[0]).toBe("info: Gitaly correlation ID: 0123abc");
});

test("git in the job's script authenticates by CI_JOB_TOKEN, and fails without asking if it is gone", async () => {
  const { folder, project, job } = await privateProject();
  await runStage({ folder, job });
  const next = project.commit({ "a.txt": "two" });
  await scriptGitOnline(folder, ["fetch", "--quiet"], { CI_JOB_TOKEN: token });
  expect(scriptGit(folder, ["rev-parse", "origin/main"])).toBe(next);
  const without = scriptGitOnline(folder, ["fetch", "--quiet"]);
  await expect(without).rejects.toThrow("terminal prompts disabled");
});

test("with strategy none, git in the script still authenticates in the repository that was kept", async () => {
  const { folder, job } = await privateProject();
  await runStage({ folder, job });
  rmSync(`${projectDirOf(folder)}.tmp`, { recursive: true });
  await runStage({ folder, job, variables: { GIT_STRATEGY: "none" } });
  const fetched = scriptGitOnline(folder, ["fetch", "--quiet"], { CI_JOB_TOKEN: token });
  await expect(fetched).resolves.toBe("");
});

test("a script's other user names are not answered with the job's token", async () => {
  const { folder, server, job } = await privateProject();
  await runStage({ folder, job });
  const other = server.origin.replace("://", "://bot@");
  const fetch = ["fetch", "--quiet", `${other}/group/project.git`];
  const asBot = scriptGitOnline(folder, fetch, { CI_JOB_TOKEN: token });
  await expect(asBot).rejects.toThrow("could not read Password for");
});

/** A `git` on the PATH that passes over settings in its environment, as git before 2.31 does. */
function olderGit(): Readonly<Record<string, string>> {
  const bin = temporaryFolder();
  const real = join(git(bin, ["--exec-path"]), "git");
  const script = `#!/bin/sh\nunset GIT_CONFIG_COUNT GIT_CONFIG_GLOBAL\nexec ${real} "$@"\n`;
  writeFileSync(join(bin, "git"), script, { mode: 0o755 });
  return { PATH: `${bin}:${plainEnvironment["PATH"] ?? ""}` };
}

test("an older git, which does not know settings in its environment, gets the token when asked", async () => {
  const { folder, server, job } = await privateProject();
  await runStage({ folder, job, environment: olderGit() });
  expect(server.requests[0]?.headers.authorization).toBeUndefined();
  expect(server.requests[1]?.headers.authorization).toMatch(/^Basic /);
});

test("a refused token ends the stage; nobody is asked for another", async () => {
  const { folder, server } = await privateProject();
  const repositoryUrl = `${server.origin.replace("://", "://gitlab-ci-token:wrong@")}/group/project.git`;
  const log = recordingLog();
  const failed = runStage({ folder, job: makeJob({ repositoryUrl }) }, log);
  await expect(failed).rejects.toMatchObject({ reason: "script_failure", exitCode: 128 });
  expect(log.text()).not.toContain("wrong");
});

test("the machine user's git settings are used and not changed", async () => {
  const { folder, server, job } = await privateProject();
  const home = temporaryFolder();
  const settings = '[http]\n\textraHeader = "X-Machine: yes"\n';
  writeFileSync(join(home, ".gitconfig"), settings);
  await runStage({ folder, job, environment: { HOME: home } });
  expect(server.requests[0]?.headers["x-machine"]).toBe("yes");
  expect(readFileSync(join(home, ".gitconfig"), "utf8")).toBe(settings);
  expect(readdirSync(home)).toEqual([".gitconfig"]);
});

test("a rewrite in the machine user's settings does not catch the project itself", async () => {
  const { folder, server, job } = await privateProject();
  const home = temporaryFolder();
  const settings = `[url "ssh://git@nowhere.invalid/"]\n\tinsteadOf = ${server.origin}/\n`;
  writeFileSync(join(home, ".gitconfig"), settings);
  await runStage({ folder, job, environment: { HOME: home } });
  expect(server.requests).not.toEqual([]);
});

test("the machine user's key chain is neither asked for the job's token nor given it", async () => {
  const { folder, job } = await privateProject();
  const home = temporaryFolder();
  const chain = join(home, "asked");
  writeFileSync(join(home, ".gitconfig"), `[credential]\n\thelper = "!echo >> ${chain}; :"\n`);
  await runStage({ folder, job, environment: { HOME: home, ...olderGit() } });
  expect(readdirSync(home)).toEqual([".gitconfig"]);
});

test("settings that the job passes to git in its environment are kept beside ours", async () => {
  const { folder, server, job } = await privateProject();
  const variables = {
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: `http.${server.origin}.extraHeader`,
    GIT_CONFIG_VALUE_0: "X-Mine: yes",
  };
  await runStage({ folder, job, variables });
  expect(server.requests[0]?.headers["x-mine"]).toBe("yes");
  expect(server.requests[0]?.headers.authorization).toMatch(/^Basic /);
});

test("clone_url is the address to fetch from, with the job's token", async () => {
  const { folder, server, sha } = await privateProject();
  const repositoryUrl = withToken("https://gitlab.invalid", "group/project");
  const variables = { CI_PROJECT_PATH: "group/project" };
  const settings = { cloneUrl: server.origin };
  await runStage({ folder, job: makeJob({ repositoryUrl, sha }), variables, settings });
  expect(scriptGit(folder, ["config", "remote.origin.url"])).toBe(
    `${server.origin}/group/project.git`,
  );
});
