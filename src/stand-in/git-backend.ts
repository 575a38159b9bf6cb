// Git over smart HTTP, spoken by git itself: `git http-backend` as a CGI program. A job token opens
// its own project while the job runs; nobody may push.

import { spawn } from "node:child_process";
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import type { OutgoingHttpHeaders } from "node:http";
import type { Readable } from "node:stream";
import type { Exchange } from "./http/exchange.ts";
import type { Reply } from "./http/reply.ts";
import type { Project } from "./model.ts";
import { executing } from "./model.ts";
import { gitEnvironment } from "./repository.ts";
import type { Site } from "./variables.ts";
import type { World } from "./world.ts";

const services = ["/info/refs", "/git-upload-pack", "/git-receive-pack"];

/** The project and the service that a path names; undefined when it is no git path at all. */
export function gitPath(path: string): { projectPath: string; service: string } | undefined {
  const service = services.find((candidate) => path.endsWith(candidate));
  if (service === undefined) return undefined;
  return { projectPath: path.slice(1, -service.length), service };
}

export interface GitContext {
  readonly world: World;
  readonly site: Site;
  /** A folder without any settings of git's in it. */
  readonly home: string;
  readonly apiToken: string;
}

export async function serveGit(context: GitContext, exchange: Exchange): Promise<Reply> {
  const named = gitPath(exchange.path);
  if (named === undefined) return text(404, "Not Found");
  const { projectPath, service } = named;
  if (!projectPath.endsWith(".git")) {
    const query = exchange.query.size === 0 ? "" : `?${exchange.query.toString()}`;
    return {
      status: 301,
      headers: { location: `${context.site.url}/${projectPath}.git${service}${query}` },
    };
  }
  const project = context.world.project(projectPath.slice(0, -".git".length));
  const entry = admit(context, exchange, project);
  if (entry.kind === "refused") return entry.reply;
  const wants = exchange.query.get("service") ?? service.slice(1);
  if (wants === "git-receive-pack") return text(403, "You are not allowed to upload code.");
  if (wants !== "git-upload-pack") return text(403, "The dumb HTTP protocol is not supported.");
  return runBackend(exchange, entry.project, service, context.home);
}

type Entry =
  | { readonly kind: "admitted"; readonly project: Project }
  | { readonly kind: "refused"; readonly reply: Reply };

function admit(context: GitContext, exchange: Exchange, project: Project | undefined): Entry {
  const given = basicCredentials(exchange.headers.authorization);
  const denied: Entry = { kind: "refused", reply: challenge() };
  if (given === undefined) return denied;
  const notFound: Entry = {
    kind: "refused",
    reply: text(404, "The project you were looking for could not be found."),
  };
  if (given.password === context.apiToken) {
    return project === undefined ? notFound : { kind: "admitted", project };
  }
  const job = context.world.jobByToken(given.password);
  if (given.user !== "gitlab-ci-token" || job === undefined || !executing(job.status))
    return denied;
  if (project === undefined) return notFound;
  if (job.pipeline.project === project) return { kind: "admitted", project };
  const reply = text(
    403,
    `Authentication by CI/CD job token not allowed from ${job.pipeline.project.path} to ${project.path}.`,
  );
  return { kind: "refused", reply };
}

function basicCredentials(header: string | undefined) {
  const encoded = /^Basic\s+(.+)$/i.exec(header ?? "")?.[1];
  if (encoded === undefined) return undefined;
  const [user = "", ...rest] = Buffer.from(encoded, "base64").toString("utf8").split(":");
  return { user, password: rest.join(":") };
}

function challenge(): Reply {
  const reply = text(401, "HTTP Basic: Access denied.");
  return { ...reply, headers: { ...reply.headers, "www-authenticate": 'Basic realm="GitLab"' } };
}

function text(status: number, body: string): Reply {
  return { status, headers: { "content-type": "text/plain; charset=utf-8" }, body };
}

async function runBackend(
  exchange: Exchange,
  project: Project,
  service: string,
  home: string,
): Promise<Reply> {
  const { headers } = exchange;
  const optional: Record<string, string | undefined> = {
    CONTENT_TYPE: headers["content-type"],
    CONTENT_LENGTH: headers["content-length"],
    HTTP_CONTENT_ENCODING: headers["content-encoding"],
    GIT_PROTOCOL: firstOf(headers["git-protocol"]),
  };
  const child = spawn("git", ["http-backend"], {
    env: {
      ...gitEnvironment(home),
      GIT_PROJECT_ROOT: project.repository.directory,
      GIT_HTTP_EXPORT_ALL: "1",
      PATH_INFO: service,
      REQUEST_METHOD: exchange.method,
      QUERY_STRING: exchange.query.toString(),
      REMOTE_ADDR: "127.0.0.1",
      REMOTE_USER: "gitlab-ci-token",
      ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
    },
  });
  exchange.gone.addEventListener("abort", () => child.kill());
  child.stdin.on("error", () => undefined);
  child.stderr.resume();
  exchange.input.on("error", () => child.kill());
  exchange.input.pipe(child.stdin);
  return cgiReply(child);
}

function firstOf(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}

/** Reads the CGI header; what follows it stays in the stream. */
async function cgiReply(child: ChildProcessWithoutNullStreams): Promise<Reply> {
  const failed: Promise<undefined> = new Promise((resolve) => {
    child.once("error", () => resolve(undefined));
  });
  const header = await Promise.race([readHeader(child.stdout), failed]);
  if (header === undefined) return text(500, "git http-backend did not answer.");
  let status = 200;
  const headers: OutgoingHttpHeaders = {};
  for (const line of header.split(/\r?\n/)) {
    const [name = "", ...rest] = line.split(":");
    const value = rest.join(":").trim();
    if (name.toLowerCase() === "status") status = Number.parseInt(value, 10) || 500;
    else if (name !== "") headers[name.toLowerCase()] = value;
  }
  return { status, headers, body: child.stdout };
}

/** Takes the CGI header off the stream; what follows it is put back. */
function readHeader(stdout: Readable): Promise<string | undefined> {
  return new Promise((resolve) => {
    let held: Buffer = Buffer.alloc(0);
    stdout.on("data", take);
    stdout.once("close", fail);

    function take(chunk: Buffer) {
      held = Buffer.concat([held, chunk]);
      const end = held.indexOf("\r\n\r\n");
      if (end === -1) return;
      stdout.off("data", take);
      stdout.off("close", fail);
      stdout.pause();
      stdout.unshift(held.subarray(end + 4));
      resolve(held.toString("latin1", 0, end));
    }

    function fail() {
      resolve(undefined);
    }
  });
}
