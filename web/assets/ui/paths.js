// The line that says which candidate pair carries the call, for each person, once a second.

import { describe, probe, selectedPath, timeWords } from '../../sdk.js';
import { el, make } from './dom.js';
import { nameOf } from './tiles.js';

const EVERY_MS = 1000;

/** @typedef {import('./tiles.js').Person} Person */
/** @typedef {{item: HTMLElement, before?: import('../session/stats.js').Path, testing?: boolean}} Line */

/** @type {Map<string, Line>} */
const lines = new Map();

/** @param {Person} peer @returns {Line} */
function lineOf(peer) {
  const known = lines.get(peer.id);
  if (known) return known;
  const item = make('li', {}, make('strong'), make('span', { class: 'ends' }), make('span', { class: 'numbers' }), make('span', { class: 'tested' }));
  item.dataset.peer = peer.id;
  const test = /** @type {HTMLButtonElement} */ (make('button', { class: 'quiet', text: 'Test', 'aria-label': `Test the data channel to ${nameOf(peer)}` }));
  item.append(test);
  const line = { item };
  test.addEventListener('click', () => runTest(peer, item, test));
  lines.set(peer.id, line);
  el('paths').append(item);
  return line;
}

/** @param {Person} peer @param {HTMLElement} item @param {HTMLButtonElement} button */
async function runTest(peer, item, button) {
  const tested = /** @type {HTMLElement} */ (item.querySelector('.tested'));
  tested.setAttribute('role', 'status');
  button.disabled = true;
  tested.textContent = 'Testing…';
  const { sent, back, inOrder, medianMs } = await probe(peer, 100);
  const order = inOrder ? 'in order' : 'out of order';
  tested.textContent = back === sent ? `${back} of ${sent} echoes ${order}, ${timeWords(medianMs)}` : `only ${back} of ${sent} echoes came back`;
  button.disabled = false;
}

/** @param {Person} peer @param {boolean} several whether a name is needed to tell people apart */
async function draw(peer, several) {
  const line = lineOf(peer);
  const [head, ends, numbers] = ['strong', '.ends', '.numbers'].map((one) => /** @type {HTMLElement} */ (line.item.querySelector(one)));
  const path = peer.state === 'connected' ? selectedPath(await peer.stats().catch(() => new Map())) : undefined;
  const prefix = several ? `${nameOf(peer)}: ` : '';
  line.item.classList.toggle('up', Boolean(path));
  line.item.classList.toggle('down', peer.state === 'failed');
  if (!path) {
    head.textContent = prefix + (peer.state === 'failed' ? 'No path found, trying again' : 'Looking for a path…');
    ends.textContent = numbers.textContent = '';
    line.before = undefined;
    return;
  }
  // A tick that was held up comes right before the next: too short a time to tell a rate from.
  if (line.before && path.at - line.before.at < EVERY_MS / 2) return;
  const same = line.before?.local.address === path.local.address ? line.before : undefined;
  const words = describe(path, same);
  head.textContent = prefix + words.headline;
  ends.textContent = words.ends;
  numbers.textContent = words.numbers;
  line.before = path;
}

/** With several people their lines are many: one sentence stands for them until they are asked for. @param {Person[]} people */
function sum(people) {
  const several = people.length > 1;
  el('paths-more').hidden = !several;
  el('paths').hidden = several && el('paths-more').getAttribute('aria-expanded') !== 'true';
  const up = people.filter((peer) => lines.get(peer.id)?.before);
  const relayed = up.filter((peer) => /relay/.test(`${lines.get(peer.id)?.before?.local.type} ${lines.get(peer.id)?.before?.remote.type}`)).length;
  const how = up.length === 0 ? '' : relayed === up.length ? ', through the relay' : relayed === 0 ? ', directly' : `, ${relayed} through the relay`;
  const text = `${up.length} of ${people.length} connected${how}`;
  if (el('paths-sum').textContent !== text) el('paths-sum').textContent = text;
}

el('paths-more').addEventListener('click', () => {
  const more = el('paths-more');
  const open = more.getAttribute('aria-expanded') !== 'true';
  more.setAttribute('aria-expanded', String(open));
  el('paths').hidden = !open;
});

/** Keeps the lines fresh until the answer is called. @param {() => Iterable<Person>} people @returns {() => void} */
export function watchPaths(people) {
  const tick = async () => {
    const present = [...people()];
    for (const [id, { item }] of lines) {
      if (present.some((peer) => peer.id === id)) continue;
      item.remove();
      lines.delete(id);
    }
    await Promise.all(present.map((peer) => draw(peer, present.length > 1)));
    sum(present);
  };
  const timer = setInterval(tick, EVERY_MS);
  tick();
  return () => {
    clearInterval(timer);
    lines.clear();
    el('paths').replaceChildren();
  };
}
