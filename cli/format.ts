/** How numbers, times and names are said to a person. Pure; exact values belong into `--json`. */

const SIZES = ["B", "kB", "MB", "GB", "TB", "PB", "EB"] as const;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"] as const;

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** One decimal below 100, none above, and never a `.0`. */
function short(value: number): string {
  const rounded = value < 99.95 ? Math.round(value * 10) / 10 : Math.round(value);
  return String(rounded);
}

/** A size in powers of ten: `512 B`, `31 MB`, `41.2 GB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // 999.5 would be shown as 1000, so it already belongs to the next unit.
  while (Math.abs(value) >= 999.5 && unit < SIZES.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? Math.round(value) : short(value)} ${SIZES[unit]}`;
}

/** A speed: `118 MB/s`. */
export function formatRate(bytesPerSecond: number): string {
  return `${formatBytes(bytesPerSecond)}/s`;
}

/** How long something took or takes: `45 ms`, `1.1 s`, `12 s`, `4 min`, `2 h 5 min`, `34 h`, `3 d`. */
export function formatDuration(milliseconds: number): string {
  const time = Math.max(0, milliseconds);
  if (time < 99.5) return `${Math.round(time)} ms`;
  if (time < 9.95 * SECOND) return `${short(time / SECOND)} s`;
  if (time < 59.5 * SECOND) return `${Math.round(time / SECOND)} s`;
  if (time < 59.5 * MINUTE) return `${Math.max(1, Math.round(time / MINUTE))} min`;
  if (time < 9.99 * HOUR) {
    const minutes = Math.round(time / MINUTE);
    return `${Math.floor(minutes / 60)} h${minutes % 60 === 0 ? "" : ` ${minutes % 60} min`}`;
  }
  return time < 2 * DAY ? `${Math.floor(time / HOUR)} h` : `${Math.floor(time / DAY)} d`;
}

/** How old something is, in one unit, rounded down so that it is never told older than it is: `12 s`, `7 h`, `3 d`. */
export function formatAge(milliseconds: number): string {
  const time = Math.max(0, milliseconds);
  if (time < MINUTE) return `${Math.floor(time / SECOND)} s`;
  if (time < HOUR) return `${Math.floor(time / MINUTE)} min`;
  return time < 2 * DAY ? `${Math.floor(time / HOUR)} h` : `${Math.floor(time / DAY)} d`;
}

/** What a date is told against. */
export interface DateStyle {
  /** The present; decides what `today` is. */
  readonly now: Date;
  /** Exact ISO 8601 in UTC instead of words. */
  readonly utc?: boolean | undefined;
  /** An IANA time zone; by default the system's. */
  readonly timeZone?: string | undefined;
}

/** A moment as people say it: `today 02:00`, `yesterday 02:00`, `16 Nov 02:00`, `16 Nov 2025 02:00`. */
export function formatDate(date: Date, style: DateStyle): string {
  if (style.utc) return date.toISOString();
  return `${formatDay(date, style)} ${clock(date, style.timeZone)}`;
}

/** A day as people say it: `today`, `tomorrow`, `16 Nov`, `16 Nov 2025`. */
export function formatDay(date: Date, style: DateStyle): string {
  if (style.utc) return date.toISOString().slice(0, 10);
  const day = calendar(date, style.timeZone);
  const today = calendar(style.now, style.timeZone);
  const distance = day.number - today.number;
  if (distance === 0) return "today";
  if (distance === -1) return "yesterday";
  if (distance === 1) return "tomorrow";
  return `${day.day} ${MONTHS[day.month - 1]}${day.year === today.year ? "" : ` ${day.year}`}`;
}

/** How long ago a moment was: `7 h ago`; `just now` within a second; `in 3 h` when it is still to come. */
export function formatAgo(date: Date, now: Date): string {
  const age = now.getTime() - date.getTime();
  if (Math.abs(age) < SECOND) return "just now";
  return age < 0 ? `in ${formatAge(-age)}` : `${formatAge(age)} ago`;
}

/** A share in whole per cent: `23 %`; a part of nothing is `0 %`. */
export function formatPercent(part: number, whole: number): string {
  return `${whole > 0 ? Math.round(100 * part / whole) : 0} %`;
}

/** A number with its noun: `1 part`, `2 parts`, `10,000 rows`, `3 copies`. */
export function formatCount(count: number, noun: string, plural = `${noun}s`): string {
  return `${formatNumber(count)} ${count === 1 ? noun : plural}`;
}

/** A whole number with its thousands apart: `10,000`. */
export function formatNumber(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** A calendar day, with its count of days since 1970 for comparing. */
function calendar(date: Date, timeZone: string | undefined) {
  const { year, month, day } = wallTime(date, timeZone);
  return { year, month, day, number: Date.UTC(year, month - 1, day) / DAY };
}

function clock(date: Date, timeZone: string | undefined): string {
  const { hour, minute } = wallTime(date, timeZone);
  return `${String(hour).padStart(2, "0")}:${String(minute).padStart(2, "0")}`;
}

interface WallTime {
  readonly year: number;
  /** From 1. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
}

/**
 * What calendar and clock show in a zone. `Intl` only where a zone is named: a formatter takes some 50 µs and 30 kB to make,
 * and a list may have 10,000 dates.
 */
function wallTime(date: Date, timeZone: string | undefined): WallTime {
  if (timeZone === undefined) {
    return {
      year: date.getFullYear(),
      month: date.getMonth() + 1,
      day: date.getDate(),
      hour: date.getHours(),
      minute: date.getMinutes(),
    };
  }
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
  });
  const parts = new Map(format.formatToParts(date).map(({ type, value }) => [type, Number(value)]));
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? NaN;
  return {
    year: part("year"),
    month: part("month"),
    day: part("day"),
    hour: part("hour"),
    minute: part("minute"),
  };
}
