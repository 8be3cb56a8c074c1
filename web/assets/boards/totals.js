// The four numbers at the top of the dashboard, each with its last minutes.

import { el, make, part } from '../ui/dom.js';
import { count, rate } from './numbers.js';
import { Series, draw, spark } from './spark.js';

const MINUTE_MS = 60_000;

/** @param {string} name @param {string} label */
function tile(name, label) {
  const [svg, series] = [spark(`${label}, the last minutes`), new Series()];
  const box = el(`tile-${name}`);
  box.append(make('h2', { text: label }), make('p', { class: 'value', text: '–' }), make('p', { class: 'more hint' }), svg);
  return (/** @type {number} */ value, /** @type {string} */ text, /** @type {string} */ more) => {
    series.push(value);
    draw(svg, series);
    part(box, '.value').textContent = text;
    part(box, '.more').textContent = more;
  };
}

/** @returns {(stats: any) => void} takes what /api/v1/admin/stats said */
export function totals() {
  const [allocations, traffic, people, refused] = [tile('allocations', 'Allocations'), tile('traffic', 'Relayed'), tile('people', 'People in calls'), tile('refused', 'Refused')];
  /** @type {{at: number, up: number, down: number, refused: number}[]} readings of the last minute */ const readings = [];
  return ({ relay, signal }) => {
    const all = relay.refusals.reduce((/** @type {number} */ sum, /** @type {{count: number}} */ one) => sum + one.count, 0);
    const now = { at: performance.now(), up: relay.bytesUp, down: relay.bytesDown, refused: all };
    const before = readings.at(-1);
    // A server that started anew counts from nothing.
    if (before && (now.up < before.up || now.refused < before.refused)) readings.length = 0;
    readings.push(now);
    while ((readings[0]?.at ?? now.at) < now.at - MINUTE_MS) readings.shift();
    const last = readings.at(-2) ?? now;
    const per = (/** @type {'up'|'down'} */ what) => (last === now ? 0 : ((now[what] - last[what]) * 1000) / (now.at - last.at));
    allocations(relay.allocations, count(relay.allocations), `${count(relay.allocationsTotal)} since the start`);
    traffic(per('up') + per('down'), last === now ? '–' : rate(per('up') + per('down')), `↑ ${rate(per('up'))} ↓ ${rate(per('down'))}`);
    people(signal.peers, count(signal.peers), `in ${signal.rooms === 1 ? '1 room' : `${count(signal.rooms)} rooms`}, ${count(signal.waiting)} in lobbies`);
    refused(now.refused - last.refused, count(now.refused - (readings[0] ?? now).refused), `in the last minute, ${count(all)} since the start`);
  };
}
