/** Days, months, weeks and limits of a DatePicker, in any time zone; and where its popup goes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  addMonths, allowed, dayOf, fitted, nearest, parse, startOf, timed, today, weekOf, weeksOf, weekStart, write, type Day,
} from '../src/widgets/days';
import { place, type Box } from '../src/widgets/place';

const on = (iso: string): Day => parse(iso)!.day;
const text = (day: Day): string => write({ day, time: '', offset: '' });

test('a day is what was written, whatever the zone of who reads it and of who wrote it', () => {
  for (const zone of ['Pacific/Kiritimati', 'UTC', 'America/Los_Angeles', 'Pacific/Pago_Pago']) {
    process.env['TZ'] = zone;
    for (const value of ['2026-03-14', '2026-03-14T00:00:00', '2026-03-14T23:59:59Z', '2026-03-14 00:30-11:00'])
      assert.equal(text(on(value)), '2026-03-14', `${value} in ${zone}`);
    // Days that summer time makes shorter or longer, and one that Samoa never had.
    for (const value of ['2026-03-08', '2026-11-01', '2011-12-30', '0001-01-01', '9999-12-31']) assert.equal(text(on(value)), value);
    assert.equal(on('2026-03-09') - on('2026-03-08'), 1);
  }
  process.env['TZ'] = 'Pacific/Kiritimati';
  assert.equal(text(today(new Date('2026-03-14T12:00:00Z'))), '2026-03-15');
  process.env['TZ'] = 'Pacific/Pago_Pago';
  assert.equal(text(today(new Date('2026-03-14T10:00:00Z'))), '2026-03-13');
});

test('what Python and JavaScript write is read, and given back as it was', () => {
  for (const value of ['2026-03-14T09:26', '2026-03-14T09:26:53.589793', '2026-03-14T09:26:53Z', '2026-03-14T09:26:53+05:30'])
    assert.equal(write(parse(value)!), value);
  assert.deepEqual(parse('2026-03-14T00:00:00+02:00'), { day: on('2026-03-14'), time: '00:00:00', offset: '+02:00' });
  for (const value of [
    '', 'today', '2026-02-29', '2026-13-01', '2026-00-10', '0000-01-01', '2026-03-14T25:00', '2026-03-14T09:60', '2026-3-4', '14.03.2026',
    '2026-03-14x', 20260314, null, undefined, {},
  ])
    assert.equal(parse(value), null, String(value));
  assert.equal(text(on('2028-02-29')), '2028-02-29');
  for (const value of ['2026-03-14', '2026-03-14T00:00', '2026-03-14T00:00:00.000Z']) assert.equal(timed(parse(value)), false);
  for (const value of ['2026-03-14T00:01', '2026-03-14T00:00:01']) assert.equal(timed(parse(value)), true);
  assert.equal(timed(null), false);
});

test('a month later is the same date, or the last of a shorter month', () => {
  const later = (from: string, count: number): string => text(addMonths(on(from), count));
  assert.equal(later('2026-01-31', 1), '2026-02-28');
  assert.equal(later('2028-01-31', 1), '2028-02-29');
  assert.equal(later('2028-02-29', 12), '2029-02-28');
  assert.equal(later('2026-03-31', -1), '2026-02-28');
  assert.equal(later('2026-12-15', 1), '2027-01-15');
  assert.equal(later('2026-01-15', -1), '2025-12-15');
  assert.equal(later('0099-12-31', 1), '0100-01-31');
});

test('a month is six whole weeks that begin where the locale says', () => {
  for (let start = 1; start <= 7; start++)
    for (let month = 0; month < 48; month++) {
      const first = dayOf(2025, month, 1);
      const weeks = weeksOf(first + 9, start);
      const days = weeks.flat();
      assert.deepEqual(weeks.map((week) => week.length), [7, 7, 7, 7, 7, 7]);
      assert.deepEqual(days, Array.from({ length: 42 }, (_, index) => days[0]! + index));
      assert.ok(weeks[0]!.includes(first) && days.includes(addMonths(first, 1) - 1));
      assert.equal(new Date(days[0]! * 86_400_000).getUTCDay(), start % 7);
      assert.equal(weekOf(days[20]!, start), weeks[2]![0]);
    }
});

test('the first day of the week is the same for browsers that do not say it', () => {
  const regions = 'US GB DE FR ES IT CH MX BR CA IN JP KR CN TW HK TH ID PH VN IL SA AE EG IR MA TR RU UA AU NZ ZA KE NG PT PK BD MV';
  for (const region of regions.split(' ')) {
    const tag = `en-${region}`;
    assert.equal(startOf(new Intl.Locale(tag)), weekStart(tag), tag);
  }
  for (const tag of ['en', 'de', 'fr', 'es', 'ja', 'zh', 'ar', 'he', 'fa', 'ur', 'pt-BR', 'zh-Hant-TW', 'sv'])
    assert.equal(startOf(new Intl.Locale(tag)), weekStart(tag), tag);
});

test('limits hold for days, and for times on their own days', () => {
  const limits = { min: parse('2026-03-10T09:00'), max: parse('2026-03-20T17:30:00Z') };
  assert.deepEqual(['2026-03-09', '2026-03-10', '2026-03-20', '2026-03-21'].map((day) => allowed(on(day), limits)), [false, true, true, false]);
  assert.deepEqual(['2026-01-01', '2026-03-15', '2027-01-01'].map((day) => text(nearest(on(day), limits))), ['2026-03-10', '2026-03-15', '2026-03-20']);
  const fit = (value: string): string => write(fitted(parse(value)!, limits));
  assert.equal(fit('2026-03-10T08:59:00+02:00'), '2026-03-10T09:00+02:00');
  assert.equal(fit('2026-03-11T08:59'), '2026-03-11T08:59');
  assert.equal(fit('2026-03-20T17:30'), '2026-03-20T17:30');
  assert.equal(fit('2026-03-20T17:31'), '2026-03-20T17:30:00');
  assert.equal(fit('2026-03-10'), '2026-03-10');
  // A limit without a time is the whole day.
  const days = { min: parse('2026-03-10'), max: parse('2026-03-10T00:00:00') };
  assert.equal(write(fitted(parse('2026-03-10T23:00')!, days)), '2026-03-10T23:00');
  const none = { min: null, max: null };
  assert.equal(text(nearest(on('9999-12-31') + 5, none)), '9999-12-31');
  assert.equal(text(nearest(on('0001-01-01') - 5, none)), '0001-01-01');
});

const room: Box = { left: 0, top: 0, right: 1000, bottom: 800 };
const middle: Box = { left: 450, top: 380, right: 550, bottom: 420 };
const size = { width: 300, height: 320 };

test('a popup is on its side, in line with its anchor', () => {
  const at = (side: 'top' | 'bottom' | 'left' | 'right', align: 'start' | 'center' | 'end', rtl = false) =>
    place(middle, size, room, { side, align, rtl });
  assert.deepEqual(at('bottom', 'start'), { left: 450, top: 424, side: 'bottom' });
  assert.deepEqual(at('bottom', 'center'), { left: 350, top: 424, side: 'bottom' });
  assert.deepEqual(at('top', 'end'), { left: 250, top: 56, side: 'top' });
  assert.deepEqual(at('left', 'start'), { left: 146, top: 380, side: 'left' });
  assert.deepEqual(at('right', 'end'), { left: 554, top: 100, side: 'right' });
  // A line begins at the right in Arabic; left stays left.
  assert.deepEqual(at('bottom', 'start', true), { left: 250, top: 424, side: 'bottom' });
  assert.deepEqual(at('left', 'start', true), { left: 146, top: 380, side: 'left' });
});

test('a popup without room goes to the other side, and never leaves the room', () => {
  const near = (left: number, top: number): Box => ({ left, top, right: left + 100, bottom: top + 40 });
  assert.equal(place(near(450, 700), size, room, { side: 'bottom', align: 'start', rtl: false }).side, 'top');
  assert.equal(place(near(450, 20), size, room, { side: 'top', align: 'start', rtl: false }).side, 'bottom');
  assert.equal(place(near(20, 300), size, room, { side: 'left', align: 'start', rtl: false }).side, 'right');
  assert.equal(place(near(880, 300), size, room, { side: 'right', align: 'start', rtl: false }).side, 'left');
  assert.deepEqual(place(near(880, 100), size, room, { side: 'bottom', align: 'start', rtl: false }), { left: 692, top: 144, side: 'bottom' });
  // A phone has no room at the sides, and one on its side none above and below.
  const phone = { left: 0, top: 0, right: 360, bottom: 700 };
  assert.deepEqual(place(near(20, 100), size, phone, { side: 'right', align: 'center', rtl: false }), { left: 8, top: 144, side: 'bottom' });
  const lying = { left: 0, top: 0, right: 700, bottom: 340 };
  assert.deepEqual(place(near(20, 150), size, lying, { side: 'bottom', align: 'start', rtl: false }), { left: 124, top: 12, side: 'right' });
  const tiny = { left: 0, top: 0, right: 320, bottom: 300 };
  assert.deepEqual(place(near(20, 200), size, tiny, { side: 'bottom', align: 'start', rtl: false }), { left: 12, top: 8, side: 'top' });
});
