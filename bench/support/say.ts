/** What is being done, beside the results. */
export const say = (what: string) => process.stderr.write(`${new Date().toTimeString().slice(0, 8)} ${what}\n`);
