import { cronFields } from "../common/schedule";

const DAY = 24 * 3600;
/** Two leap days and what is between them. */
const DAYS = 9 * 366;

/**
 * The longest time between two runs of a schedule, in seconds: what "no backup for two schedules" is measured by. Cron's rule for days: if
 * both the day of the month and that of the week are restricted, either is enough.
 */
export function longestInterval(schedule: string): number {
  const [minutes, hours, monthDays, months, weekDays] = cronFields(schedule);
  const times = hours.values.flatMap((hour) => minutes.values.map((minute) => hour * 3600 + minute * 60));
  let longest = 0;
  let last: number | undefined;
  for (let day = 0; day < DAYS; day++) {
    const date = new Date(Date.UTC(2024, 0, 1 + day));
    if (!months.values.includes(date.getUTCMonth() + 1)) continue;
    const ofMonth = monthDays.values.includes(date.getUTCDate());
    const ofWeek = weekDays.values.includes(date.getUTCDay());
    if (!(monthDays.any || weekDays.any ? ofMonth && ofWeek : ofMonth || ofWeek)) continue;
    for (const time of times) {
      const now = day * DAY + time;
      if (last !== undefined) longest = Math.max(longest, now - last);
      last = now;
    }
  }
  return longest || DAYS * DAY;
}
