import { ContainerResourcesArgs } from "../common/resources";

/** A further process of the product's image, as `workers` of PostgresApp has it. */
interface PresetWorker {
  command: string[];
  replicas?: number;
  env?: Record<string, string>;
  resources?: ContainerResourcesArgs;
  terminationGracePeriodSeconds?: number;
}

/** A directory that is kept, as `volumes` of PostgresApp has it. */
interface PresetVolume {
  mountPath: string;
  storage?: string;
  existingClaim?: string;
  storageClassName?: string;
  accessMode?: string;
}

/** Arguments of PostgresApp that presets use before they are there: to be spread as they are. This file goes when they are. */
export const pending = (args: {
  workers?: Record<string, PresetWorker>;
  volumes?: PresetVolume[];
  terminationGracePeriodSeconds?: number;
}): object => Object.fromEntries(Object.entries(args).filter(([, value]) => value !== undefined));
