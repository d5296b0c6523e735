// How long a process lives that the engine has started.

/**
 * Ends this process when the engine is gone. The engine holds the other end of the standard input; when it is killed, nobody
 * else tells its plugins, and they would stay for good.
 */
export function endWithEngine(before: () => void = () => {}): void {
  process.stdin.on("end", () => {
    before();
    process.exit(0);
  });
  process.stdin.resume();
}
