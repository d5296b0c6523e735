import { mkdir, mkdtemp, rename, rm, stat, writeFile } from "fs/promises";
import { homedir } from "os";
import { join } from "path";
import { run } from "./kubectl";
// eslint-disable-next-line @typescript-eslint/no-require-imports -- outside of what is compiled
const manifest = require("../../package.json");

/** Pulumi's SDK in a version that is not the one of this package's development, and the Node to run it with. */
export interface Sdk {
  version: string;
  nodeModules: string;
  node: string;
}

/** As in tools/lib.sh. */
const cache =
  process.env.PULUMI_POSTGRES_APP_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "pulumi-postgres-app");
const npm = async (...args: string[]) => {
  const { code, stdout, stderr } = await run("npm", args, { seconds: 240 });
  if (code !== 0) throw new Error(`npm ${args.join(" ")}\n${stdout}${stderr}`);
  return stdout.trim();
};

/** The oldest SDK that package.json allows. */
export const floor = (): string => /\d[\d.]*/.exec(manifest.peerDependencies["@pulumi/pulumi"])![0];

/** The newest one that npm has. */
export const newest = () => npm("view", "@pulumi/pulumi", "version");

/** The folder of these packages in the cache, where they are installed unless they are there from an earlier run. */
export async function installed(name: string, packages: string[]): Promise<string> {
  const folder = join(cache, name);
  const nodeModules = join(folder, "node_modules");
  const there = await stat(nodeModules).then(
    () => true,
    () => false,
  );
  if (there) return nodeModules;
  await mkdir(cache, { recursive: true });
  const fresh = await mkdtemp(`${folder}-`);
  await writeFile(join(fresh, "package.json"), "{}");
  await npm("install", "--prefix", fresh, "--no-audit", "--no-fund", ...packages);
  // Whole or not at all, for a run beside this one.
  await rename(fresh, folder).catch(() => rm(fresh, { recursive: true, force: true }));
  return nodeModules;
}

/** The newest SDKs run on Node 22 and later. */
const NODE = "22";

/** An SDK, with the other packages as this one is developed with. */
export async function install(version: string): Promise<Sdk> {
  const ofThisProcess = Number(process.versions.node.split(".")[0]) >= Number(NODE);
  const nodePackage = `node-${process.platform}-${process.arch}`;
  const besides = ["kubernetes", "random", "tls"].map((name) => `@pulumi/${name}@${manifest.devDependencies[`@pulumi/${name}`]}`);
  const nodes = ofThisProcess ? [] : [`${nodePackage}@${NODE}`];
  const nodeModules = await installed(`sdk-${version}`, [`@pulumi/pulumi@${version}`, ...besides, ...nodes]);
  return { version, nodeModules, node: ofThisProcess ? process.execPath : join(nodeModules, nodePackage, "bin", "node") };
}
