// The connectivity test: tries every URL a browser is given, asks the server what it saw, and says what that means.

import { el, input, make, show } from '../ui/dom.js';
import { keep } from '../session/keep.js';
import { CallFailed, Client } from './client.js';
import { setUpDoor, showDoor } from './door.js';
import { familiesSeen, familyOf, judge, ms, sum } from './verdict.js';
import { echo, gather } from './ways.js';

const client = new Client();
if (!client.hasProof && keep.creator) client.use({ token: keep.creator });

/** @typedef {import('./ways.js').Way} Way */
/** @typedef {import('./verdict.js').Seen} Seen */

/** The ways to try, and where to ask what the server saw. @returns {Promise<{ways: Way[], seenAt: string}>} */
async function wanted() {
  const urls = input('own-urls').value.split(/[\s,]+/).filter(Boolean);
  if (urls.length > 0) {
    const [username, credential] = [input('own-username').value, input('own-credential').value];
    return { ways: urls.map((url) => ({ url, username, credential })), seenAt: `/api/v1/checks?${new URLSearchParams({ username })}` };
  }
  const { check, iceServers } = await client.call('POST', '/api/v1/checks', {});
  const ways = iceServers.flatMap((/** @type {any} */ { urls, username, credential }) => urls.map((/** @type {string} */ url) => ({ url, username, credential })));
  return { ways, seenAt: `/api/v1/checks/${encodeURIComponent(check)}` };
}

/** What the server saw so far; nothing when it cannot be asked. @param {string} at @returns {Promise<Seen[]>} */
async function seenSoFar(at) {
  const answer = await client.get(at).catch(() => ({ seen: [] }));
  return answer.seen;
}

/** @param {Way} way @param {(what: string) => void} say */
async function tryOne(way, say) {
  say('reaching…');
  const gathered = await gather(way);
  if (gathered.relayed.length === 0) return { gathered, echoed: undefined };
  say('sending through the relay…');
  return { gathered, echoed: await echo(way) };
}

/** @param {Way} way @returns {{row: HTMLElement, say: (text: string, kind?: string) => void, fact: (name: string, value: string) => void}} */
function rowFor(way) {
  const facts = make('dl');
  const words = make('p', { class: 'words' });
  words.setAttribute('role', 'status');
  const row = make('li', { class: 'try' }, make('h2', { text: way.url }), words, facts);
  row.dataset.url = way.url;
  el('tried').append(row);
  return {
    row,
    say: (text, kind = '') => { words.textContent = text; row.className = `try ${kind}`; },
    fact: (name, value) => { facts.append(make('div', {}, make('dt', { text: name }), make('dd', { text: value }))); },
  };
}

/** @param {Way} way @param {string} seenAt @param {number} known how much was seen before */
async function judged(way, seenAt, known) {
  const { say, fact } = rowFor(way);
  let tried;
  try {
    tried = await tryOne(way, say);
  } catch (wrong) {
    const verdict = { good: false, text: `This browser does not take the URL: ${/** @type {Error} */ (wrong).message}` };
    say(verdict.text, 'bad');
    return { url: way.url, verdict, known };
  }
  const { gathered, echoed } = tried;
  const seen = await seenSoFar(seenAt);
  const mine = seen.slice(known);
  const verdict = judge(way.url, gathered, echoed, mine);
  const family = familyOf(way.url);
  const families = family ? [family] : familiesSeen(mine);
  fact('reached', gathered.reached ? `yes, ${ms(gathered.ms)}` : 'no');
  if (families.length > 0) fact('over', families.join(' and '));
  if (!family && families.length === 1) fact(families[0] === 'IPv4' ? 'IPv6' : 'IPv4', 'not used: no address for it here or there');
  if (!/^stun/i.test(way.url)) fact('allocated', gathered.relayed.length > 0 ? gathered.relayed.join(', ') : 'no');
  if (echoed) fact('echo', `${echoed.back} of ${echoed.sent} came back, median ${ms(echoed.medianMs)}, longest ${ms(echoed.worstMs)}`);
  const codes = gathered.errors.filter(({ code }) => code !== 701 || !gathered.reached).map(({ code }) => code);
  if (codes.length > 0 && !verdict.good) fact('browser says', `code ${[...new Set(codes)].join(', ')}`);
  say(verdict.text, verdict.good ? 'good' : 'bad');
  return { url: way.url, verdict, known: seen.length };
}

async function run() {
  el('tried').replaceChildren();
  conclude('Testing…', '');
  const { ways, seenAt } = await wanted();
  let known = (await seenSoFar(seenAt)).length;
  const tries = [];
  // One after the other: what the server saw belongs to the way that was just tried.
  for (const way of ways) {
    const done = await judged(way, seenAt, known);
    known = done.known;
    tries.push(done);
  }
  const verdict = sum(tries);
  conclude(ways.length > 0 ? verdict.text : 'There is nothing to test.', verdict.good ? 'good' : 'bad');
}

/** @param {string} text @param {string} kind */
function conclude(text, kind) {
  el('verdict').textContent = text;
  el('verdict').className = `verdict ${kind}`;
}

el('test-form').addEventListener('submit', async (event) => {
  event.preventDefault();
  const button = /** @type {HTMLButtonElement} */ (el('test-go'));
  button.disabled = true;
  try {
    await run();
  } catch (wrong) {
    if (!(wrong instanceof CallFailed)) throw wrong;
    conclude('', '');
    if (wrong.status === 401 || wrong.status === 403) showDoor('The test needs credentials from this server: sign in, or open it from a call.');
    else conclude(wrong.message, 'bad');
  } finally {
    button.disabled = false;
  }
});

setUpDoor(client, async () => {
  await client.get('/api/v1/ice');
  show('test');
});
show('test');
