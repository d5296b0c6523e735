// Messages to the user, through the engine that has started this provider.
import * as grpc from "@grpc/grpc-js";
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { LogRequest, LogSeverity } from "@pulumi/pulumi/proto/engine_pb";

export class EngineLog {
  private readonly client?: EngineClient;

  constructor(address: string | undefined) {
    if (address) this.client = new EngineClient(address, grpc.credentials.createInsecure());
  }

  /** Seen with `--logflow -v` and in `--debug` only. */
  debug(message: string): void {
    this.send(LogSeverity.DEBUG, message, "", false);
  }

  /** A line in the status column, replaced by the next one. */
  status(urn: string, message: string): void {
    this.send(LogSeverity.INFO, message, urn, true);
  }

  warning(urn: string, message: string): void {
    this.send(LogSeverity.WARNING, message, urn, false);
  }

  private send(severity: LogSeverity, message: string, urn: string, ephemeral: boolean): void {
    const request = new LogRequest().setSeverity(severity).setMessage(message).setUrn(urn).setEphemeral(ephemeral);
    // A message that does not arrive must not fail the operation it is about.
    this.client?.log(request as LogRequest, () => {});
  }
}
