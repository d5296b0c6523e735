import * as assert from "assert";
import { checkParameters, majorOf, userOf } from "../../components/database/image";
import { Validation } from "../../components/common/validation";

const DIGEST = `sha256:${"0123456789abcdef".repeat(4)}`;

describe("what an image's name tells", () => {
  const images: [string, number, number | undefined][] = [
    ["postgres", 999, undefined],
    ["postgres:latest", 999, undefined],
    ["postgres:17", 999, 17],
    ["docker.io/library/postgres:17", 999, 17],
    [`docker.io/library/postgres:17.2@${DIGEST}`, 999, 17],
    [`postgres@${DIGEST}`, 999, undefined],
    ["postgres:17.2-alpine", 70, 17],
    ["postgres:16-bookworm", 999, 16],
    ["postgres:18beta1", 999, 18],
    ["postgres:9.6", 999, undefined],
    ["pgvector/pgvector:pg17", 999, 17],
    ["pgvector/pgvector:0.8.0-pg16", 999, 16],
    ["pgvector/pgvector:0.8.0-pg17-bookworm", 999, 17],
    ["postgis/postgis:16-3.5", 999, 16],
    ["postgis/postgis:16-3.5-alpine", 70, 16],
    ["timescale/timescaledb:2.17.2-pg16", 70, 16],
    ["timescale/timescaledb:latest-pg17", 70, 17],
    ["timescale/timescaledb:17.0.0", 70, undefined],
    ["timescale/timescaledb-ha:pg17", 1000, 17],
    ["timescale/timescaledb-ha:pg16.6-ts2.17.2-all", 1000, 16],
    ["ghcr.io/cloudnative-pg/postgresql:17.6-standard-trixie", 26, 17],
    ["ghcr.io/cloudnative-pg/postgis:17-3.5", 26, 17],
    ["bitnamilegacy/postgresql:16.4.0", 1001, 16],
    ["docker.io/bitnami/postgresql:17.2.0-debian-12-r0", 1001, 17],
    [`registry:5000/x/y@${DIGEST}`, 999, undefined],
    [`registry:5000/x/y:pg15@${DIGEST}`, 999, 15],
    ["registry:5000/x/y", 999, undefined],
    ["registry:5000/timescale/timescaledb-ha:pg17", 1000, 17],
    ["registry.example.org/alpine-team/postgres:15", 999, 15],
    ["registry.example.org/postgres:v17", 999, undefined],
    ["registry.example.org/postgres:2024-17", 999, undefined],
    ["registry.example.org/postgres:1.7", 999, undefined],
    ["registry.example.org/postgres:pg170", 999, undefined],
  ];
  for (const [image, user, major] of images) {
    it(`${image}: user ${user}, ${major === undefined ? "no major version" : `Postgres ${major}`}`, () =>
      assert.deepStrictEqual([userOf(image), majorOf(image)], [user, major]));
  }
});

describe("server parameters", () => {
  const problems = (parameters: object) => {
    const validation = new Validation("Test");
    checkParameters(validation, "embedded.parameters", parameters as never, ["port", "ssl"]);
    try {
      validation.throwIfAny();
      return "";
    } catch (error) {
      return (error as Error).message;
    }
  };

  it("are names of Postgres' and of extensions', and lines of text", () => {
    const fine = { max_connections: "200", "pg_stat_statements.max": "1000", log_line_prefix: "%m 'x' [%p] ", DateStyle: "ISO" };
    assert.strictEqual(problems(fine), "");
    assert.strictEqual(problems({}), "");
  });

  const wrong: [object, RegExp][] = [
    [{ "max connections": "200" }, /name "max connections" is not the name of a parameter/],
    [{ "shared_buffers = '1GB'\nport": "1" }, /is not the name of a parameter/],
    [{ "a.b.c": "1" }, /name "a.b.c" is not the name of a parameter/],
    [{ port: "5433" }, /name "port" is set by the component: leave it out/],
    [{ SSL: "off" }, /name "SSL" is set by the component: leave it out/],
    [{ max_connections: 200 }, /"max_connections" is 200: write it as a string of one line, such as "200" or "1GB"/],
    [{ work_mem: "1MB\nport = 1" }, /"work_mem" is "1MB\\nport = 1": write it as a string of one line/],
    [{ work_mem: null }, /"work_mem" has no value: set it, or leave it out/],
  ];
  for (const [parameters, reason] of wrong)
    it(`are not ${JSON.stringify(parameters)}`, () => assert.match(problems(parameters), reason));
});
