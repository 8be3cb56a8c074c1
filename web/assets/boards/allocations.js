// The table of allocations: who relays what, right now.

import { make } from '../ui/dom.js';
import { follow, twice } from './list.js';
import { count, rate, size, span } from './numbers.js';
import { Series, draw, spark } from './spark.js';

/** Shown at most; the total is told. */
export const SHOWN = 200;

/**
 * @typedef {object} Allocation
 * @property {string} id @property {string} user @property {string} username @property {string} client @property {string} transport
 * @property {string[]} relayed @property {number} age @property {number} expiresIn @property {number} permissions @property {number} channels
 * @property {number} bytesUp @property {number} bytesDown @property {number} packetsUp @property {number} packetsDown
 * @property {number} rateUp @property {number} rateDown bytes per second
 */

const CELLS = ['user', 'client', 'relayed', 'age', 'moved', 'rate'];

/**
 * @param {HTMLElement} body the table's
 * @param {(id: string) => Promise<void>} end
 */
export function allocationTable(body, end) {
  /** @type {Map<string, Series>} */ const rates = new Map();
  /** @param {Allocation} one */
  const build = (one) => {
    const row = make('tr', {}, ...CELLS.map((name) => make('td', { class: name })));
    row.dataset.allocation = one.id;
    const button = /** @type {HTMLButtonElement} */ (make('button', { class: 'small', text: 'End' }));
    button.setAttribute('aria-label', `End the allocation of ${one.user} from ${one.client}`);
    twice(button, 'Really end?', () => end(one.id));
    row.querySelector('.rate')?.append(spark(`Rate of ${one.user} over the last minutes`), make('span', { class: 'now' }));
    row.append(make('td', { class: 'act' }, button));
    return row;
  };
  /** @param {HTMLElement} row @param {Allocation} one */
  const fill = (row, one) => {
    const series = rates.get(one.id) ?? new Series();
    rates.set(one.id, series);
    series.push(one.rateUp + one.rateDown);
    const cell = (/** @type {string} */ name) => /** @type {HTMLElement} */ (row.querySelector(`.${name}`));
    two(cell('user'), one.user, `${count(one.permissions)} permissions, ${count(one.channels)} channels`);
    cell('user').title = one.username;
    two(cell('client'), one.client, one.transport.toUpperCase());
    two(cell('relayed'), one.relayed[0] ?? '', one.relayed.slice(1).join(' '));
    two(cell('age'), span(one.age), `ends in ${span(one.expiresIn)} unless refreshed`);
    two(cell('moved'), `↑ ${size(one.bytesUp)}`, `↓ ${size(one.bytesDown)}`);
    const svg = row.querySelector('svg');
    if (svg) draw(svg, series);
    cell('now').textContent = `↑ ${rate(one.rateUp)} ↓ ${rate(one.rateDown)}`;
  };
  const draws = follow(body, (/** @type {Allocation} */ one) => one.id, build, fill);
  return (/** @type {Allocation[]} */ all) => {
    const now = new Set(all.map(({ id }) => id));
    for (const id of rates.keys()) if (!now.has(id)) rates.delete(id);
    draws(all);
  };
}

/** Two lines in a cell. @param {HTMLElement} cell @param {string} first @param {string} second */
function two(cell, first, second) {
  if (!cell.firstChild) cell.append(make('span', { class: 'first' }), make('small', { class: 'second' }));
  const [above, below] = cell.children;
  if (above && above.textContent !== first) above.textContent = first;
  if (below && below.textContent !== second) below.textContent = second;
}
