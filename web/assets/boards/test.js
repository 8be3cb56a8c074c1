// The connectivity test: tries every URL a browser is given, asks the server what it saw, and says what that means.

import { RelayhouseError } from '../../sdk.js';
import { button, el, input, make, part, show } from '../ui/dom.js';
import { keep } from '../ui/keep.js';
import { setUpDoor, showDoor } from './door.js';
import { ask, house, isKnown } from './house.js';
import { report } from './report.js';
import { Witness } from './saw.js';
import { families, familyOf, judge, ms, sum, transportOf } from './verdict.js';
import { attempt, isStun, peerOf } from './ways.js';

/** @typedef {import('./ways.js').Way} Way */
/** @typedef {import('./report.js').Result} Result */

/** What was typed in counts while one can see it. */
const isOwn = () => /** @type {HTMLDetailsElement} */ (el('own')).open;

/** The ways to try, and who saw them. @returns {Promise<{ways: Way[], witness: Witness}>} */
async function wanted() {
  const urls = isOwn() ? input('own-urls').value.split(/[\s,]+/).filter(Boolean) : [];
  const peer = isOwn() && input('own-peer').value.trim() || undefined;
  if (urls.length > 0) {
    const [username, credential] = [input('own-username').value.trim(), input('own-credential').value.trim()];
    return { ways: urls.map((url) => ({ url, username, credential, peer })), witness: Witness.ofUsername(username) };
  }
  // A call of this tab proves as much as an account.
  const token = isKnown() ? keep.key : keep.creator ?? keep.seat?.ticket;
  const { check, iceServers } = await house.request('POST', '/api/v1/checks', undefined, { token });
  const ways = iceServers.flatMap((/** @type {any} */ { urls, username, credential }) => urls.map((/** @type {string} */ url) => ({ url, username, credential, peer })));
  return { ways, witness: Witness.ofCheck(check) };
}

/** @param {Way} way */
function rowFor(way) {
  const row = make('li', { class: 'try panel', 'data-url': way.url },
    make('h2', { text: way.url }), make('p', { class: 'words', text: 'Waits…' }), make('p', { class: 'hint' }), make('dl'));
  el('tried').append(row);
  const say = (/** @type {string} */ text) => { part(row, '.words').textContent = text; };
  return {
    say,
    /** @param {Result} result */
    conclude({ verdict, facts }) {
      row.dataset.verdict = verdict.kind;
      say(verdict.text);
      part(row, '.hint').textContent = verdict.advice ?? '';
      part(row, 'dl').replaceChildren(...facts.map(([name, value]) => make('div', {}, make('dt', { text: name }), make('dd', { text: value }))));
    },
  };
}

const QUOTA = 486;

/**
 * Tries one way, with what the server saw of it.
 * @param {Way} way @param {Witness} witness @param {(what: string) => void} say
 * @returns {Promise<Result & {isCrowded: boolean}>}
 */
async function tryOne(way, witness, say) {
  const { url } = way;
  let tried;
  try {
    tried = await attempt(way, say);
  } catch (wrong) {
    // Its own sentence names the class and the call; what is wrong stands behind the last colon.
    const why = /** @type {Error} */ (wrong).message.replace(/^.*': /, '');
    return { url, verdict: { kind: 'bad', text: `This browser does not take the entry: ${why}` }, facts: [], seen: [], isCrowded: false };
  }
  const isRefused = tried.errors.some(({ code }) => code >= 300 && code < 600);
  const family = familyOf(url);
  const isMine = (/** @type {import('./saw.js').Seen} */ one) => one.transport === transportOf(url) && (!family || one.client.startsWith('[') === (family === 'IPv6'));
  const seen = tried.reached && !isStun(url) ? await witness.saw(isMine, isRefused || (!tried.echo && !tried.isAlone)) : [];
  const verdict = judge(way, tried, seen);
  const isCrowded = seen.some(({ code }) => code === QUOTA) || tried.errors.some(({ code }) => code === QUOTA);
  return { url, verdict, facts: factsOf(url, tried, seen), seen, isCrowded };
}

/** @param {string} url @param {import('./ways.js').Tried} tried @param {import('./saw.js').Seen[]} seen @returns {[string, string][]} */
function factsOf(url, tried, seen) {
  /** @type {[string, string][]} */ const facts = [['Reached', tried.reached ? `yes, after ${ms(tried.ms)}` : 'no']];
  for (const { family, came } of families(url, tried, seen)) facts.push([family, came ? 'answers' : 'no answer']);
  if (!isStun(url)) facts.push(['Allocated', tried.relayed.length > 0 ? tried.relayed.join(', ') : 'no']);
  const { echo } = tried;
  if (echo) facts.push(['Came back', `${echo.back} of ${echo.sent}`], ['Round trip', `${ms(echo.medianMs)}, longest ${ms(echo.worstMs)}`]);
  const codes = [...new Set(tried.errors.map(({ code }) => code))];
  if (codes.length > 0) facts.push(['Browser says', `code ${codes.join(', ')}`]);
  return facts;
}

/** Which ways may be tried at once: what the server saw of them can be told apart. @param {Way} way */
const laneOf = ({ url }) => (isStun(url) ? url : transportOf(url));

/** @type {Result[]} of the last test */
let results = [];

async function run() {
  el('tried').replaceChildren();
  el('report-keys').hidden = true;
  conclude({ kind: 'unsure', text: 'Asking the server…' });
  el('verdict').scrollIntoView({ block: 'nearest' });
  const { ways, witness } = await wanted();
  const rows = ways.map((way) => ({ way, row: rowFor(way), result: /** @type {Result|undefined} */ (undefined) }));
  await witness.begin();
  const tell = () => conclude({ kind: 'unsure', text: `Testing… ${rows.filter(({ result }) => result).length} of ${rows.length} done` });
  tell();
  /** @type {typeof rows} */ const crowded = [];
  /** @param {typeof rows[number]} one @param {boolean} isLast */
  const go = async (one, isLast) => {
    const result = await tryOne(one.way, witness, one.row.say);
    if (result.isCrowded && !isLast) {
      one.row.say('Waits until the others are done…');
      crowded.push(one);
      return;
    }
    one.result = result;
    one.row.conclude(result);
    tell();
  };
  const lanes = [...new Set(rows.map(({ way }) => laneOf(way)))].map((lane) => rows.filter(({ way }) => laneOf(way) === lane));
  await Promise.all(lanes.map(async (lane) => { for (const one of lane) await go(one, rows.length === 1); }));
  // A quota may be reached by this test alone: what it refused is tried once more, with nothing beside it.
  for (const one of crowded) await go(one, true);
  results = rows.flatMap(({ result }) => result ?? []);
  conclude(sum(results));
  el('report-keys').hidden = false;
}

/** @param {import('./verdict.js').Verdict} verdict */
function conclude({ kind, text }) {
  el('verdict').textContent = text;
  el('verdict').dataset.verdict = kind;
}

el('test-form').addEventListener('submit', async (event) => {
  event.preventDefault();
  const peer = input('own-peer');
  if (isOwn() && peer.value.trim() && !peerOf(peer.value)) {
    conclude({ kind: 'bad', text: 'The peer needs an address and a port, such as 192.0.2.10:4000.' });
    peer.focus();
    return;
  }
  button('test-go').disabled = true;
  try {
    await run();
  } catch (wrong) {
    if (!(wrong instanceof RelayhouseError)) throw wrong;
    conclude({ kind: 'bad', text: wrong.message });
    if (wrong.status !== 401 && wrong.status !== 403) return;
    conclude({ kind: 'bad', text: '' });
    const why = isKnown() ? 'What was signed in with does not do for this.' : '';
    showDoor(why);
  } finally {
    button('test-go').disabled = false;
  }
});

el('report-copy').addEventListener('click', async () => {
  const text = report({ origin: location.origin, browser: navigator.userAgent, when: new Date(), verdict: el('verdict').textContent ?? '' }, results);
  const box = /** @type {HTMLTextAreaElement} */ (el('report-text'));
  box.value = text;
  try {
    await navigator.clipboard.writeText(text);
    el('report-note').textContent = 'Copied.';
  } catch { // Pages without HTTPS have no clipboard.
    box.hidden = false;
    box.select();
    el('report-note').textContent = 'Copy the text below.';
  }
});

el('door-back').addEventListener('click', () => show('test'));
setUpDoor({
  enter: async () => {
    await ask('GET', '/api/v1/ice');
    show('test');
    await new Promise((resolve) => { setTimeout(resolve); });
    /** @type {HTMLFormElement} */ (el('test-form')).requestSubmit();
  },
  notAllowed: 'This key may not have ICE servers: it needs the scope mint.',
});
show('test');
