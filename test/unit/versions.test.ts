import * as assert from "assert";
import { SDK_FLOOR, tooOld } from "../../components/common/versions";
// eslint-disable-next-line @typescript-eslint/no-require-imports -- outside of what is compiled
const { peerDependencies } = require("../../package.json");

describe("versions of Pulumi's SDK", () => {
  it("are allowed from where package.json allows them", () =>
    assert.strictEqual(peerDependencies["@pulumi/pulumi"], `^${SDK_FLOOR}`));

  for (const version of ["3.245.0", "3.245.1", "3.246.0", "3.1000.0", "4.0.0", "3.246.0-alpha.1"])
    it(`${version} is new enough`, () => assert.strictEqual(tooOld(version), undefined));

  for (const version of ["3.244.9", "3.230.0", "3.25.0", "2.999.0"])
    it(`${version} is not, and what to do is said`, () =>
      assert.strictEqual(
        tooOld(version),
        `pulumi-postgres-app needs @pulumi/pulumi 3.245.0 or newer, and the program has ${version}: npm install @pulumi/pulumi@^3.245.0`,
      ));
});
