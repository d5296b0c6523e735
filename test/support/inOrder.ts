/**
 * The tests of a group are the steps of one story: after one that fails, those that follow it are not tried. Mocha's own `bail` would end
 * the other files too where they run beside each other.
 */
export function inOrder(suite: Mocha.Suite): void {
  let failed: string | undefined;
  suite.afterEach(function () {
    if (this.currentTest?.state === "failed") failed = this.currentTest.title;
  });
  suite.beforeEach(() => {
    if (failed !== undefined) throw new Error(`what comes next was not tried, because "${failed}" failed`);
  });
}
