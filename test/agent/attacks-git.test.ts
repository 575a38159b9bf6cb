// Traps in a repository, left for the git that the agent runs: after the script, and for the next job.

import { appendFileSync, chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { sleep } from "../../src/agent/clock.ts";
import { ownEnvironment, sourcesEnvironment } from "../../src/agent/helper-environment.ts";
import { listUntracked } from "../../src/agent/sources/untracked.ts";
import { jobVariables } from "../../src/core/variables.ts";
import { git, makeProject, plainEnvironment, temporaryFolder } from "./sources/project.ts";
import { makeJob, projectDirOf, recordingLog, runStage } from "./sources/stage.ts";

/** A program that leaves evidence when it is run. */
function trapIn(folder: string) {
  const evidence = join(folder, "evidence");
  const trap = join(folder, "trap");
  writeFileSync(trap, `#!/bin/sh\necho "$0 $*" >> ${evidence}\n`);
  chmodSync(trap, 0o755);
  return { trap, sprung: () => existsSync(evidence) };
}

function list(projectDir: string, environment = plainEnvironment) {
  const signal = new AbortController().signal;
  return listUntracked({ projectDir, environment, signal, sleep });
}

test("missing objects of a clone that a script has made partial are not fetched by its program", async () => {
  const folder = temporaryFolder();
  const { trap, sprung } = trapIn(temporaryFolder());
  git(folder, ["init", "--quiet"]);
  mkdirSync(join(folder, "in"));
  mkdirSync(join(folder, "out"));
  writeFileSync(join(folder, "in/a"), "");
  writeFileSync(join(folder, "out/b"), "");
  git(folder, ["add", "--all"]);
  git(folder, ["commit", "--quiet", "-m", "x"]);
  git(folder, ["sparse-checkout", "set", "--cone", "--sparse-index", "in"]);
  const tree = git(folder, ["rev-parse", "HEAD:out"]);
  const traps = `
[core]
	repositoryFormatVersion = 1
	sshCommand = ${trap}
	gitProxy = ${trap}
[extensions]
	partialClone = origin
[remote "origin"]
	promisor = true
	url = ext::${trap} %S
	uploadPack = ${trap}
	vcs = ext
[protocol "ext"]
	allow = always
`;
  appendFileSync(join(folder, ".git/config"), traps);
  rmSync(join(folder, ".git/objects", tree.slice(0, 2), tree.slice(2)));
  // To know whether the index has it git must look into the folder that it has only as a whole.
  mkdirSync(join(folder, "out"));
  writeFileSync(join(folder, "out/c"), "");
  // The trap works where nobody looks out.
  try {
    git(folder, ["ls-files", "--others"]);
  } catch {
    // The program is no transport: git fails after it has run it.
  }
  expect(sprung()).toBe(true);
  rmSync(join(trap, "../evidence"));

  await list(folder);
  expect(sprung()).toBe(false);
});

test("traps in the settings, attributes and index extensions are not sprung by a listing", async () => {
  const folder = temporaryFolder();
  const { trap, sprung } = trapIn(temporaryFolder());
  git(folder, ["init", "--quiet"]);
  writeFileSync(join(folder, "a"), "");
  writeFileSync(join(folder, ".gitattributes"), "* filter=evil diff=evil\n");
  appendFileSync(
    join(folder, ".git/config"),
    `
[core]
	fsmonitor = ${trap}
	untrackedCache = true
	pager = ${trap}
	editor = ${trap}
	alternateRefsCommand = ${trap}
	attributesFile = /dev/zero
[filter "evil"]
	clean = ${trap}
	smudge = ${trap}
	process = ${trap}
	required = true
[diff "evil"]
	textconv = ${trap}
[alias]
	ls-files = !${trap}
[pager]
	ls-files = ${trap}
`,
  );
  expect(await list(folder)).toMatchObject({ kind: "listed", paths: [".gitattributes", "a"] });
  expect(sprung()).toBe(false);
});

const evil = {
  PATH: "/builds/evil",
  LD_PRELOAD: "/builds/evil.so",
  LD_AUDIT: "/builds/evil.so",
  GIT_EXEC_PATH: "/builds/evil",
  BASH_ENV: "/builds/evil",
  ENV: "/builds/evil",
  NODE_OPTIONS: "--require /builds/evil.js",
};

test("a job's variables choose neither git nor what is loaded into it", () => {
  const variables = jobVariables(
    Object.entries({ ...evil, HOME: "/builds", GIT_SSH_COMMAND: "ssh -i key" }).map(
      ([key, value]) => ({ key, value }),
    ),
    { tempDir: "" },
  );
  const own = { PATH: "/usr/bin", HOME: "/root" };
  const environment = (executor: "docker" | "process") =>
    sourcesEnvironment({ variables, handOff: { executor } as never }, own);
  expect(environment("docker")).toEqual({ ...own, GIT_SSH_COMMAND: "ssh -i key" });
  expect(environment("process")).toEqual({
    ...own,
    HOME: "/builds",
    GIT_SSH_COMMAND: "ssh -i key",
  });
});

test("a job's variables do not replace the marks by which the agent's processes are found", () => {
  const variables = jobVariables(
    ["BURST_AGENT_COOKIE", "BURST_COOKIE", "BURST_CONTROL"].map((key) => ({ key, value: "mine" })),
    { tempDir: "" },
  );
  const own = { BURST_AGENT_COOKIE: "ours" };
  const handOff = { executor: "process" } as never;
  expect(sourcesEnvironment({ variables, handOff }, own)).toEqual(own);
});

test("the agent's own environment is passed on without what is meant for its Node", () => {
  expect(ownEnvironment({ PATH: "/usr/bin", NODE_OPTIONS: "--inspect", GONE: undefined })).toEqual({
    PATH: "/usr/bin",
  });
});

test.each([
  "ext::sh -c 'touch %s'",
  "--upload-pack=touch %s",
  "-u touch %s",
  "ssh://-oProxyCommand=touch %s/x",
  "file:///etc",
])("a submodule whose address is %s runs nothing", async (address) => {
  const folder = temporaryFolder();
  const evidence = join(folder, "evidence");
  const project = makeProject(folder, "group/project");
  const lib = makeProject(folder, "group/lib").commit({ "lib.txt": "" });
  const url = address.replace("%s", evidence);
  project.commit({ ".gitmodules": `[submodule "lib"]\n\tpath = lib\n\turl = "${url}"\n` });
  project.git(["update-index", "--add", "--cacheinfo", `160000,${lib},lib`]);
  project.git(["commit", "--quiet", "-m", "a submodule"]);
  project.push("main");
  const sha = project.git(["rev-parse", "HEAD"]);
  const job = makeJob({
    repositoryUrl: `file://${project.folder}`,
    sha,
    refspecs: ["+refs/heads/*:refs/remotes/origin/*"],
  });
  const variables = {
    GIT_SUBMODULE_STRATEGY: "recursive",
    // A job may allow itself what git refuses.
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: "protocol.ext.allow",
    GIT_CONFIG_VALUE_0: "always",
  };
  await expect(runStage({ folder, job, variables }, recordingLog())).rejects.toThrow(
    /git submodule/,
  );
  expect(existsSync(evidence)).toBe(false);
});

test("a service or hook that rewrites our settings file while git runs gets no program run", async () => {
  const folder = temporaryFolder();
  const { trap, sprung } = trapIn(temporaryFolder());
  const project = makeProject(folder, "group/project");
  const sha = project.commit({ a: "one" });
  const file = `${projectDirOf(folder)}.tmp/.gitlab-burst.agent.gitconfig`;
  // As soon as git is started for the first time.
  const wrapper = join(temporaryFolder(), "git");
  const text = `\\n[core]\\n\\tfsmonitor = ${trap}\\n\\thooksPath = ${trap}s\\n`;
  mkdirSync(`${trap}s`);
  writeFileSync(join(`${trap}s`, "post-checkout"), `#!/bin/sh\nexec ${trap}\n`, { mode: 0o755 });
  writeFileSync(
    wrapper,
    `#!/bin/sh\nprintf '${text}' >> ${file}\nPATH=${process.env["PATH"] ?? ""} exec git "$@"\n`,
    { mode: 0o755 },
  );
  await runStage({
    folder,
    job: makeJob({
      repositoryUrl: `file://${project.folder}`,
      sha,
      refspecs: ["+refs/heads/*:refs/remotes/origin/*"],
    }),
    environment: { PATH: `${join(wrapper, "..")}:${process.env["PATH"] ?? ""}` },
  });
  expect(sprung()).toBe(false);
});
