// A language host for Node programs: enough of `pulumirpc.LanguageRuntime` for the commands that run a program.
// Stands in for `pulumi-language-nodejs`, which comes with the official CLI only.
import { type ChildProcess, spawn } from "node:child_process";
import * as grpc from "@grpc/grpc-js";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import * as messages from "@pulumi/pulumi/proto/language_pb";
import { LanguageRuntimeService } from "@pulumi/pulumi/proto/language_grpc_pb";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import { endWithEngine } from "./lifetime";

/** The program has already told the user what is wrong. */
const BAIL = 32;

const programs = new Set<ChildProcess>();

const engine = process.argv.slice(2).find((argument) => !argument.startsWith("-"));

function runnerArguments(request: messages.RunRequest): string[] {
  const info = request.getInfo();
  const directory = info?.getProgramDirectory() || request.getPwd();
  const runner = require.resolve("@pulumi/pulumi/cmd/run", { paths: [directory, __dirname] });
  const options: Record<string, string | undefined> = {
    monitor: request.getMonitorAddress(),
    engine,
    organization: request.getOrganization(),
    project: request.getProject(),
    "root-directory": info?.getRootDirectory(),
    stack: request.getStack(),
    pwd: request.getPwd(),
    parallel: String(request.getParallel()),
  };
  const given = Object.entries(options).flatMap(([name, value]) => (value ? [`--${name}`, value] : []));
  const entryPoint = info?.getEntryPoint() || ".";
  return [runner, ...given, ...(request.getDryrun() ? ["--dry-run"] : []), entryPoint, ...request.getArgsList()];
}

/** Config travels in the environment (the values, and the names of the secret ones), and so do Pulumi.yaml's runtime options. */
function programEnvironment(request: messages.RunRequest): NodeJS.ProcessEnv {
  const config = Object.fromEntries(request.getConfigMap().toArray() as unknown as [string, string][]);
  const options = request.getInfo()?.getOptions()?.toJavaScript() ?? {};
  return {
    ...process.env,
    PULUMI_NODEJS_TYPESCRIPT: String(options.typescript ?? true),
    ...(options.tsconfig ? { PULUMI_NODEJS_TSCONFIG_PATH: String(options.tsconfig) } : {}),
    PULUMI_CONFIG: JSON.stringify(config),
    PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
  };
}

function run(call: grpc.ServerUnaryCall<messages.RunRequest, messages.RunResponse>): Promise<messages.RunResponse> {
  const program = spawn(process.execPath, runnerArguments(call.request), {
    cwd: call.request.getInfo()?.getProgramDirectory() || call.request.getPwd(),
    env: programEnvironment(call.request),
    stdio: ["ignore", "inherit", "inherit"],
  });
  programs.add(program);
  call.on("cancelled", () => program.kill("SIGTERM"));
  return new Promise((resolve, reject) => {
    program.on("error", reject);
    program.on("exit", (code, signal) => {
      programs.delete(program);
      const response = new messages.RunResponse();
      if (code === BAIL) response.setBail(true);
      else if (code !== 0)
        response.setError(signal ? `Program was ended by ${signal}` : `Program exited with non-zero exit code: ${code}`);
      resolve(response);
    });
  });
}

/** Packages and plugins are not listed: the engine would try to download what it then finds on PATH. */
const methods: Record<string, ((call: never) => Promise<object>) | undefined> = {
  handshake: async () => new messages.LanguageHandshakeResponse(),
  getPluginInfo: async () => new PluginInfo().setVersion("0.0.0"),
  getRequiredPlugins: async () => new messages.GetRequiredPluginsResponse(),
  getRequiredPackages: async () => new messages.GetRequiredPackagesResponse(),
  runtimeOptionsPrompts: async () => new messages.RuntimeOptionsResponse(),
  about: async () => new messages.AboutResponse().setExecutable(process.execPath).setVersion(process.version),
  getProgramDependencies: async () => new messages.GetProgramDependenciesResponse(),
  cancel: async () => new Empty(),
  run,
};

const handlers = Object.keys(LanguageRuntimeService).map((name): [string, grpc.handleUnaryCall<never, object>] => {
  const method = methods[name];
  if (!method) {
    const details = `${name} is not part of this stand-in for pulumi-language-nodejs`;
    return [name, (_, reply) => reply({ code: grpc.status.UNIMPLEMENTED, details })];
  }
  return [
    name,
    (call, reply) => {
      method(call as never).then(
        (response) => reply(null, response),
        (error: Error) => reply({ code: grpc.status.UNKNOWN, details: error.message }),
      );
    },
  ];
});

const server = new grpc.Server({ "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 });
server.addService(LanguageRuntimeService, Object.fromEntries(handlers) as grpc.UntypedServiceImplementation);
server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  console.log(port);
});
endWithEngine(() => programs.forEach((program) => program.kill("SIGTERM")));
