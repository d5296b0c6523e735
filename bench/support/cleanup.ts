type Task = () => Promise<unknown>;

/** What has to be gone at the end, however that comes. */
export class Cleanup {
  private readonly tasks = new Set<Task>();

  /** Returns the same task, to be run when its time has come; what is not done by then is done at the end. */
  add(task: Task): Task {
    const once = async () => {
      if (!this.tasks.has(once)) return;
      await task();
      this.tasks.delete(once);
    };
    this.tasks.add(once);
    return once;
  }

  /** Does all that is left, and says what could not be done. */
  async run(): Promise<void> {
    const results = await Promise.allSettled([...this.tasks].map((task) => task()));
    const failed = results.flatMap((result) => (result.status === "rejected" ? [String(result.reason)] : []));
    if (failed.length) throw new Error(`not everything could be cleaned up:\n${failed.join("\n")}`);
  }
}
