// A project's bare repository, made with git itself: a folder's files become one commit on `main`.
// The user's own git settings are kept out, so that the same folder gives the same tree everywhere.

import { execFile, execFileSync } from "node:child_process";
import { appendFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Commit, Ref } from "./model.ts";

export const defaultBranch = "main";

export class Repository {
  readonly directory: string;
  readonly #home: string;

  private constructor(directory: string, home: string) {
    this.directory = directory;
    this.#home = home;
  }

  /** An empty repository with what GitLab allows a fetching client. */
  static async create(directory: string, home: string): Promise<Repository> {
    await mkdir(directory, { recursive: true });
    const repository = new Repository(directory, home);
    await repository.#git(["init", "--quiet", "--bare", `--initial-branch=${defaultBranch}`]);
    await appendFile(
      join(directory, "config"),
      "[uploadpack]\n\tallowFilter = true\n\tallowAnySHA1InWant = true\n" +
        "[http]\n\treceivepack = false\n[gc]\n\tauto = 0\n",
    );
    return repository;
  }

  /** Commits the files of a folder as they are now, minus what its .gitignore names. */
  async commitFolder(folder: string, atMilliseconds: number): Promise<string> {
    const environment = {
      GIT_WORK_TREE: folder,
      GIT_INDEX_FILE: join(this.directory, "import.index"),
    };
    await this.#git(["add", "--all", "."], {
      environment,
      cwd: folder,
    });
    const tree = (await this.#git(["write-tree"], { environment })).trim();
    return this.#commitTree(tree, atMilliseconds);
  }

  /** Commits just these files: path to content. */
  async commitFiles(files: Readonly<Record<string, string>>, atMilliseconds: number) {
    const environment = { GIT_INDEX_FILE: join(this.directory, "import.index") };
    await this.#git(["read-tree", "--empty"], { environment });
    for (const [path, content] of Object.entries(files)) {
      const blob = (await this.#git(["hash-object", "-w", "--stdin"], { input: content })).trim();
      await this.#git(["update-index", "--add", "--cacheinfo", `100644,${blob},${path}`], {
        environment,
      });
    }
    const tree = (await this.#git(["write-tree"], { environment })).trim();
    return this.#commitTree(tree, atMilliseconds);
  }

  async #commitTree(tree: string, atMilliseconds: number): Promise<string> {
    const parent = await this.resolve(defaultBranch);
    const parents = parent === undefined ? [] : ["-p", parent.commit.sha];
    const date = `${String(Math.floor(atMilliseconds / 1000))} +0000`;
    const message = parent === undefined ? "Import the folder" : "Import the folder again";
    const sha = (
      await this.#git(["commit-tree", tree, ...parents, "-m", message], {
        environment: { GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date },
      })
    ).trim();
    await this.createRef(`refs/heads/${defaultBranch}`, sha);
    return sha;
  }

  async createRef(name: string, sha: string) {
    await this.#git(["update-ref", name, sha]);
  }

  /** A branch or a tag by its short name, with its commit. */
  async resolve(name: string): Promise<{ ref: Ref; commit: Commit } | undefined> {
    for (const kind of ["branch", "tag"] as const) {
      const full = `refs/${kind === "branch" ? "heads" : "tags"}/${name}`;
      const found = await this.#try(["rev-parse", "--verify", "--quiet", `${full}^{commit}`]);
      if (found !== undefined) {
        return { ref: { name, kind }, commit: await this.#commit(found.trim()) };
      }
    }
    return undefined;
  }

  async #commit(sha: string): Promise<Commit> {
    const text = await this.#git(["show", "-s", "--format=%an <%ae>%x00%aI%x00%B", sha]);
    const [author = "", timestamp = "", body = ""] = text.split("\0");
    const message = body.trimEnd();
    return { sha, author, timestamp, message, title: message.split("\n")[0] ?? "" };
  }

  /** A file of a commit. At once, because `include` is read in the middle of compiling. */
  readFile(sha: string, path: string): string | undefined {
    try {
      return execFileSync("git", ["cat-file", "blob", `${sha}:${path}`], {
        cwd: this.directory,
        encoding: "utf8",
        maxBuffer: 64 * 1024 * 1024,
        stdio: ["ignore", "pipe", "ignore"],
        env: { ...gitEnvironment(this.#home), GIT_DIR: this.directory },
      });
    } catch {
      return undefined;
    }
  }

  async #try(parameters: readonly string[]): Promise<string | undefined> {
    try {
      return await this.#git(parameters);
    } catch {
      return undefined;
    }
  }

  #git(
    parameters: readonly string[],
    options: {
      readonly environment?: Readonly<Record<string, string>>;
      readonly input?: string;
      readonly cwd?: string;
    } = {},
  ): Promise<string> {
    return new Promise((resolve, reject) => {
      const child = execFile(
        "git",
        parameters,
        {
          cwd: options.cwd ?? this.directory,
          maxBuffer: 64 * 1024 * 1024,
          env: {
            ...gitEnvironment(this.#home),
            GIT_DIR: this.directory,
            ...options.environment,
          },
        },
        (error, stdout, stderr) => {
          if (error === null) resolve(stdout);
          else
            reject(
              new Error(`git ${parameters[0] ?? ""} failed: ${stderr.trim()}`, { cause: error }),
            );
        },
      );
      child.stdin?.on("error", () => undefined);
      child.stdin?.end(options.input ?? "");
    });
  }
}

/** Git's environment without the settings, hooks and repository of whoever started the stand-in. */
export function gitEnvironment(home: string): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [key, value] of Object.entries(process.env)) {
    if (value !== undefined && !key.startsWith("GIT_")) kept[key] = value;
  }
  return {
    ...kept,
    HOME: home,
    XDG_CONFIG_HOME: home,
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_AUTHOR_NAME: "Administrator",
    GIT_AUTHOR_EMAIL: "admin@example.com",
    GIT_COMMITTER_NAME: "Administrator",
    GIT_COMMITTER_EMAIL: "admin@example.com",
  };
}
