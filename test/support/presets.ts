import { educard, heimdall, PostgresAppArgs, PresetOptions, vulcan } from "../../index";

/** A preset, and what the tests that hold for all of them have to know of it. */
export interface PresetCase {
  name: string;
  /** The preset; where it asks for services beside Postgres, with such as are enough. */
  preset: (options?: PresetOptions) => PostgresAppArgs;
  /** Its official image. */
  repository: string;
  /** Versions whose facts were read and differ, the first being the one that is taken when none is given. */
  versions: string[];
  /** One that is too old. */
  tooOld: string;
  /** Variable with the address that browsers see, or what makes it up; undefined where the product wants none. */
  urlVariable?: string;
}

export const presets: PresetCase[] = [
  {
    name: "heimdall",
    preset: heimdall,
    repository: "docker.io/mitre/heimdall2",
    versions: ["2.13.1", "2.12.6", "2.10.0"],
    tooOld: "2.9.6",
    urlVariable: "EXTERNAL_URL",
  },
  {
    name: "vulcan",
    preset: vulcan,
    repository: "docker.io/mitre/vulcan",
    versions: ["2.3.7", "2.4.0", "2.3.1", "2.2.1", "2.1.6"],
    tooOld: "2.1.5",
    urlVariable: "VULCAN_APP_URL",
  },
  {
    name: "educard",
    preset: educard,
    repository: "docker.io/tyifan/educard",
    versions: ["1.0.0"],
    tooOld: "0.9.0",
    urlVariable: "SITE_URL",
  },
];
