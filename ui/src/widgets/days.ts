/** Days of the calendar, and what a DatePicker says about them. Pure: no clock, and no time zone that could shift a day. */

/** Days since 1970-01-01, Gregorian. */
export type Day = number;

/** A point of the wall clock, as the wire writes it: its time of day and offset are kept, never computed with. */
export interface Moment {
  day: Day;
  /** `HH:MM`, with seconds where they were written; empty for a plain day. */
  time: string;
  offset: string;
}

export interface Limits {
  min: Moment | null;
  max: Moment | null;
}

const LENGTH = 86_400_000;
/** Years that have four digits, and that Python knows. */
const FIRST = dayOf(1, 0, 1);
const LAST = dayOf(9999, 11, 31);

/** `month` counts from 0. What is beyond a month's or year's end goes on in the next. */
export function dayOf(year: number, month: number, date: number): Day {
  // Not Date.UTC, which takes the year 26 for 1926.
  return new Date(0).setUTCFullYear(year, month, date) / LENGTH;
}

/** Midnight in UTC of that day: for formats, which have to say `timeZone: 'UTC'`. */
export function dateOf(day: Day): Date {
  return new Date(day * LENGTH);
}

/** The day that it is where `now` is looked at. */
export function today(now: Date): Day {
  return dayOf(now.getFullYear(), now.getMonth(), now.getDate());
}

export function addMonths(day: Day, count: number): Day {
  const date = dateOf(day);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth() + count];
  // The 31st of a shorter month is its last.
  return Math.min(dayOf(year, month, date.getUTCDate()), dayOf(year, month + 1, 0));
}

/** The first day of that day's week; `start` is the weekday that weeks begin with, from 1 (Monday) to 7. */
export function weekOf(day: Day, start: number): Day {
  return day - ((dateOf(day).getUTCDay() - start + 7) % 7);
}

/** The month of that day in whole weeks: always six, so that nothing moves under the pointer. */
export function weeksOf(day: Day, start: number): Day[][] {
  const date = dateOf(day);
  const first = weekOf(dayOf(date.getUTCFullYear(), date.getUTCMonth(), 1), start);
  return Array.from({ length: 6 }, (_, week) => Array.from({ length: 7 }, (_, weekday) => first + 7 * week + weekday));
}

const ISO = /^(\d{4})-(\d\d)-(\d\d)(?:[T ]((?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?)(Z|[+-]\d\d(?::?\d\d)?)?)?$/i;

/** An ISO date or datetime; null for anything else, and for days that do not exist. */
export function parse(value: unknown): Moment | null {
  const found = typeof value === 'string' ? ISO.exec(value) : null;
  if (!found) return null;
  const [year, month, date] = [Number(found[1]), Number(found[2]) - 1, Number(found[3])];
  const day = dayOf(year, month, date);
  const exists = dateOf(day).getUTCMonth() === month && dateOf(day).getUTCDate() === date;
  return exists && day >= FIRST ? { day, time: found[4] ?? '', offset: found[5] ?? '' } : null;
}

export function write({ day, time, offset }: Moment): string {
  return dateOf(day).toISOString().slice(0, 10) + (time && `T${time}${offset}`);
}

/** Whether it says a time: midnight is how a datetime says a day. */
export function timed(moment: Moment | null): moment is Moment {
  return moment !== null && secondsOf(moment.time) > 0;
}

export function secondsOf(time: string): number {
  const [hours = 0, minutes = 0, seconds = 0] = time.split(':').map(Number);
  return hours * 3600 + minutes * 60 + seconds;
}

/** The nearest day that may be chosen. */
export function nearest(day: Day, { min, max }: Limits): Day {
  return Math.min(Math.max(day, min?.day ?? FIRST), max?.day ?? LAST);
}

export function allowed(day: Day, { min, max }: Limits): boolean {
  return day >= (min?.day ?? FIRST) && day <= (max?.day ?? LAST);
}

/** With a time that the limits allow on its day. A limit without a time is a whole day, and a day without one fits. */
export function fitted(moment: Moment, { min, max }: Limits): Moment {
  if (!moment.time) return moment;
  const seconds = secondsOf(moment.time);
  if (timed(min) && moment.day === min.day && seconds < secondsOf(min.time)) return { ...moment, time: min.time };
  if (timed(max) && moment.day === max.day && seconds > secondsOf(max.time)) return { ...moment, time: max.time };
  return moment;
}

/** Regions by the weekday that their weeks begin with, where it is not Monday (CLDR). */
const STARTS: [weekday: number, regions: string][] = [
  [5, 'MV'],
  [6, 'AF BH DJ DZ EG IQ IR JO KW LY OM QA SD SY'],
  [
    7,
    'AG AS BD BR BS BT BW BZ CA CO DM DO ET GT GU HK HN ID IL IN IS JM JP KE KH KR LA MH MM MO MT MX MZ NI NP PA PE PH ' +
      'PK PR PT PY SA SG SV TH TT TW UM US VE VI WS YE ZA ZW',
  ],
];

type WeekLocale = Intl.Locale & { getWeekInfo?(): { firstDay: number }; weekInfo?: { firstDay: number } };

/** The weekday that weeks begin with, from 1 (Monday) to 7 (Sunday). */
export function weekStart(tag: string): number {
  const locale = new Intl.Locale(tag) as WeekLocale;
  return (locale.getWeekInfo?.() ?? locale.weekInfo)?.firstDay ?? startOf(locale);
}

/** The same for browsers that do not say it. */
export function startOf(locale: Intl.Locale): number {
  const { region } = locale.maximize();
  return STARTS.find(([, regions]) => regions.split(' ').includes(region ?? ''))?.[0] ?? 1;
}
