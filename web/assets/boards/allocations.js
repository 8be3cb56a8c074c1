// The table of allocations: who relays what, right now.

import { make, part, sure } from '../ui/dom.js';
import { follow } from './list.js';
import { inText, known, plain, short } from './names.js';
import { count, many, rate, size, span } from './numbers.js';
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

/** Class and heading of each cell; the heading is shown beside it where the table is a list of cards. */
const CELLS = [['user', 'User'], ['client', 'Client'], ['relayed', 'Relayed address'], ['age', 'Age'], ['moved', 'Moved'], ['rate', 'Rate']];

/**
 * @param {HTMLElement} body the table's
 * @param {(id: string) => Promise<void>} end
 * @returns {(all: Allocation[]) => void}
 */
export function allocationTable(body, end) {
  /** @type {WeakMap<HTMLElement, Series>} */ const rates = new WeakMap();
  /** @param {Allocation} one */
  const build = (one) => {
    const name = () => whose(one)[0];
    // On a phone the rows are no table to CSS; the roles keep them one for a screen reader.
    const row = make('tr', { role: 'row' }, ...CELLS.map(([name, label]) => make('td', { class: name, role: 'cell', 'data-label': label })));
    row.dataset.allocation = one.id;
    rates.set(row, new Series());
    for (const [name] of CELLS.slice(0, -1)) part(row, `.${name}`).append(make('bdi'), make('small'));
    part(row, '.rate').append(make('span', {}, make('span', { class: 'up' }), make('span', { class: 'down' })), spark(`Rate of ${name()} over the last minutes`));
    const press = async () => {
      const title = `End the allocation of ${inText(name())}?`;
      const text = `What ${one.client} sends and receives through it stops at once. A call may find another way, or open a new allocation.`;
      if (await sure({ title, text, yes: 'End it' })) await end(one.id);
    };
    row.append(make('td', { class: 'act', role: 'cell' },
      make('button', { class: 'small', text: 'End', 'aria-label': `End the allocation of ${name()} from ${one.client}`, click: press })));
    return row;
  };
  /** @param {HTMLElement} row @param {Allocation} one */
  const fill = (row, one) => {
    const [who, where] = whose(one);
    two(part(row, '.user'), who, where);
    part(row, '.user').title = one.username;
    two(part(row, '.client'), one.client, `${one.transport.toUpperCase()}, ${many(one.permissions, 'permission')}, ${many(one.channels, 'channel')}`);
    two(part(row, '.relayed'), one.relayed[0] ?? '', one.relayed.slice(1).join(' '));
    two(part(row, '.age'), span(one.age), `ends in ${span(one.expiresIn)}`);
    part(row, '.age').title = 'Unless its client refreshes it';
    two(part(row, '.moved'), `↑ ${size(one.bytesUp)} ↓ ${size(one.bytesDown)}`, `↑ ${count(one.packetsUp)} ↓ ${count(one.packetsDown)} packets`);
    const series = rates.get(row);
    series?.push(one.rateUp + one.rateDown);
    if (series) draw(/** @type {SVGSVGElement} */ (row.querySelector('svg')), series);
    part(row, '.up').textContent = `↑ ${rate(one.rateUp)}`;
    part(row, '.down').textContent = `↓ ${rate(one.rateDown)}`;
  };
  return follow(body, (one) => one.id, build, fill);
}

/** Whose it is: people in rooms have names, tests of a connection are what they are. @param {Allocation} one */
function whose({ user }) {
  const person = known(user);
  if (person) return [person.name, person.room];
  return user.startsWith('check-') ? ['Connectivity test', short(user)] : [plain(user), ''];
}

/** Two lines in a cell. @param {HTMLElement} cell @param {string} first @param {string} second */
function two(cell, first, second) {
  const [above, below] = cell.children;
  if (above && above.textContent !== first) above.textContent = first;
  if (below && below.textContent !== second) below.textContent = second;
}
