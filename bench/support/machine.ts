import { spawn } from "child_process";
import { readFile } from "fs/promises";
import { cpus, loadavg, totalmem } from "os";
import { delimiter, join } from "path";
import { credentials, Metadata } from "@grpc/grpc-js";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { kubectl, run } from "../../test/support/kubectl";

const root = join(__dirname, "..", "..");

/** What numbers depend on, as pairs of what it is and which. */
export async function machine(): Promise<[string, string][]> {
  const [{ model }] = cpus();
  const { serverVersion } = JSON.parse(await kubectl(["version", "-o", "json"]));
  const plugins = await Promise.all(["kubernetes", "random", "tls"].map(plugin));
  return [
    ["date", new Date().toISOString().slice(0, 10)],
    ["commit", await output("git", ["describe", "--always", "--dirty"])],
    ["CPU", `${model.trim()}, ${cpus().length} cores`],
    ["memory", `${Math.round(totalmem() / 2 ** 30)} GiB`],
    ["load of the minute before", loadavg()[0].toFixed(1)],
    ["Kubernetes", serverVersion.gitVersion],
    ["Helm", await output("helm", ["version", "--template={{.Version}}"])],
    ["Pulumi", await output("pulumi", ["version"])],
    ["plugins", plugins.join(", ")],
    ["Node.js", process.version],
  ];
}

async function output(program: string, args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(program, args, { cwd: root });
  if (code !== 0) throw new Error(`${program} ${args.join(" ")}: exit ${code}\n${stderr}`);
  return stdout.trim();
}

/** A plugin by its name, the version that it says it is of, and whether it is the official one: this repository's stand-ins are scripts. */
async function plugin(name: string): Promise<string> {
  const { path, content } = await pluginFile(name);
  const standIn = content.subarray(0, 2).toString() === "#!";
  return `${name} ${await versionOf(path)} (${standIn ? "the stand-in of this repository" : "official"})`;
}

/** Where the CLI finds it: on PATH, else in its home, by the version of the package. */
async function pluginFile(name: string): Promise<{ path: string; content: Buffer }> {
  const file = `pulumi-resource-${name}`;
  const { version } = JSON.parse(await readFile(join(root, "node_modules", "@pulumi", name, "package.json"), "utf8"));
  const home = process.env.PULUMI_HOME ?? join(process.env.HOME ?? "", ".pulumi");
  const folders = [...(process.env.PATH ?? "").split(delimiter), join(home, "plugins", `resource-${name}-v${version}`)];
  for (const folder of folders) {
    const path = join(folder, file);
    const content = await readFile(path).catch(() => undefined);
    if (content) return { path, content };
  }
  throw new Error(`${file} is neither on PATH nor in ${home}`);
}

/** Asks the plugin: the folder's name says only for which package it was installed. */
async function versionOf(path: string): Promise<string> {
  const child = spawn(path, ["127.0.0.1:1"], { stdio: ["pipe", "pipe", "ignore"] }); // an address of an engine, which is not called
  const limit = setTimeout(() => child.kill(), 20_000);
  try {
    const port = await new Promise<string>((resolve, reject) => {
      child.stdout.once("data", (line: Buffer) => resolve(line.toString().trim()));
      child.once("error", reject).once("exit", () => reject(new Error(`${path} has not said its port within 20 s`)));
    });
    const client = new ResourceProviderClient(`127.0.0.1:${port}`, credentials.createInsecure());
    return await new Promise<string>((resolve, reject) => {
      client.getPluginInfo(new Empty(), new Metadata(), { deadline: Date.now() + 10_000 }, (error, info) =>
        error ? reject(error) : resolve(info.getVersion()),
      );
    }).finally(() => client.close());
  } finally {
    clearTimeout(limit);
    child.kill();
  }
}
