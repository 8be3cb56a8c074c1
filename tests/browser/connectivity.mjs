// The connectivity test at /test: with a server that works, and with ones that are broken on purpose.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { faint, sideways, tiny, unnamed } from './checks.mjs';
import { freePort } from './server.mjs';
import { until } from './pages.mjs';

const SECRET = 'the secret of this test, and of no other';
/** What a server of these tests is set to. */
export const SHARED = { set: [`auth.secrets=["${SECRET}"]`] };
const TESTS_WITHIN_MS = 60_000;

/** A credential as an application makes it. */
function credential({ expires = 600, name = 'tester', secret = SECRET } = {}) {
  const username = `${Math.floor(Date.now() / 1000) + expires}:${name}`;
  return { username, credential: createHmac('sha1', secret).update(username).digest('base64') };
}

const sound = async (page, where) => {
  for (const check of [unnamed, faint, sideways, tiny]) assert.deepEqual(await page.evaluate(check), [], `${check.name}: ${where}`);
};

/** Waits for the end of a test; its verdict and what each way came to. */
async function ended(page) {
  await until('the end of the test', () => page.locator('#test-go').isEnabled(), TESTS_WITHIN_MS);
  const all = await page.locator('.try').evaluateAll((rows) => rows.map((row) => [row.dataset.url, `${row.dataset.verdict}: ${row.innerText}`]));
  return { verdict: await page.locator('#verdict').innerText(), ways: Object.fromEntries(all) };
}

/** Runs the test with what the server mints. */
async function run(page, origin) {
  await page.goto(`${origin}/test`);
  await page.getByRole('button', { name: 'Run the test' }).click();
  return ended(page);
}

/** Runs the test with an entry that is typed in. */
async function runOwn(page, urls, { username, credential: password }) {
  if (!await page.locator('#own-urls').isVisible()) await page.getByText('Test an entry of your own').click();
  await page.locator('#own-urls').fill(urls);
  await page.locator('#own-username').fill(username);
  await page.locator('#own-credential').fill(password);
  await page.getByRole('button', { name: 'Run the test' }).click();
  return ended(page);
}

const udpOf = (house) => `turn:${house.server.udp[0]}?transport=udp`;
const tcpOf = (house) => `turn:${house.server.tcp[0]}?transport=tcp`;

/** @param {any} house */
export function connectivity(house) {
  house.test('with a good server every way works, and the report says so', async () => {
    const page = await house.open();
    const { verdict, ways } = await run(page, house.origin);
    assert.match(verdict, /^Everything works/, JSON.stringify(ways, null, 2));
    const urls = Object.keys(ways);
    for (const scheme of ['stun:127', 'stun:[', 'turn:127', 'turn:[', 'turns:127', 'turns:[']) assert.ok(urls.some((url) => url.startsWith(scheme)), `${scheme} in ${urls}`);
    for (const [url, words] of Object.entries(ways)) assert.match(words, url.startsWith('stun') ? /^good: .*Works/s : /^good: .*Came back\s+100 of 100/s);
    await house.shot(page, 'test-good', { fullPage: true });
    await page.getByRole('button', { name: 'Copy report' }).click();
    await page.getByText('Copied.').waitFor();
    const report = await page.evaluate(() => navigator.clipboard.readText());
    for (const part of [house.origin, 'Everything works', urls.at(-1), 'the server saw:', 'tls from', 'allocation opened', 'HeadlessChrome']) assert.ok(report.includes(part), `${part} in ${report}`);
    await house.closePages();
  });

  for (const dark of [false, true]) {
    const look = dark ? 'dark' : 'light';
    house.test(`every view is named, readable and fits a phone and a wide screen, ${look}`, async () => {
      for (const [size, viewport] of [['360', { width: 360, height: 740 }], ['1400', { width: 1400, height: 900 }]]) {
        const page = await house.open({ ...viewport, dark });
        await page.goto(`${house.origin}/test`);
        await page.getByText('Test an entry of your own').click();
        await sound(page, `own entry, ${size}`);
        await house.shot(page, `test-own-${size}-${look}`, { fullPage: true });
        await page.getByText('Test an entry of your own').click();
        const long = `turn:${'a-name-that-is-long.'.repeat(8)}invalid?transport=udp`;
        const { verdict, ways } = await runOwn(page, `stun:${house.server.udp[0]} ${udpOf(house)} ${long} turn:no spaces`, credential());
        assert.match(verdict, /works over UDP, but not every way/);
        assert.match(ways[long], /^bad: .*No address was found for this name/s);
        await sound(page, `results, ${size}`);
        await house.shot(page, `test-results-${size}-${look}`, { fullPage: true });
        await house.closePages();
      }
    });
  }

  house.test('a credential of another secret is told so, in the server’s words', async () => {
    const page = await house.open();
    await page.goto(`${house.origin}/test`);
    const { verdict, ways } = await runOwn(page, `${udpOf(house)} ${tcpOf(house)}`, credential({ secret: 'another' }));
    assert.match(verdict, /^No relay works from here/);
    for (const url of [udpOf(house), tcpOf(house)]) assert.match(ways[url], /^bad: .*The credential is refused: the password is wrong: the secret does not match\.\s+Whoever makes the credentials uses another secret/s);
    await house.shot(page, 'test-wrong-secret', { fullPage: true });
    await house.closePages();
  });

  house.test('a credential that expired is told when', async () => {
    const page = await house.open();
    await page.goto(`${house.origin}/test`);
    const { ways } = await runOwn(page, udpOf(house), credential({ expires: -40 }));
    assert.match(ways[udpOf(house)], /^bad: .*The credential is refused: expired 4\d s ago\.\s+Have a fresh one made/s);
    await house.closePages();
  });

  house.test('a port nobody listens on is told by transport, beside one that works', async () => {
    const page = await house.open();
    const port = await freePort();
    await page.goto(`${house.origin}/test`);
    const gone = ['?transport=udp', '?transport=tcp'].map((how) => `turn:127.0.0.1:${port}${how}`);
    const { verdict, ways } = await runOwn(page, [...gone, udpOf(house)].join(' '), credential());
    assert.match(ways[gone[0]], /^bad: .*No answer over UDP: the port is closed/s);
    assert.match(ways[gone[1]], /^bad: .*No answer over TCP: the port is closed/s);
    assert.match(ways[udpOf(house)], /^good: /);
    assert.match(verdict, /works over UDP, but not every way/);
    await house.closePages();
  });

  house.test('where UDP does not get through, calls work with more delay, and the verdict says so', async () => {
    const page = await house.open();
    await page.goto(`${house.origin}/test`);
    const { verdict, ways } = await runOwn(page, `turn:127.0.0.1:${await freePort()}?transport=udp ${tcpOf(house)}`, credential());
    assert.match(verdict, /^The relay works, but not over UDP/, JSON.stringify(ways, null, 2));
    assert.match(ways[tcpOf(house)], /^good: /);
    await house.closePages();
  });

  house.test('an entry that no browser takes is told so', async () => {
    const page = await house.open();
    await page.goto(`${house.origin}/test`);
    const { ways } = await runOwn(page, `turn:127.0.0.1:1?transport=sctp ${udpOf(house)}`, { username: '', credential: '' });
    assert.match(ways['turn:127.0.0.1:1?transport=sctp'], /^bad: .*This browser does not take the entry/s);
    assert.match(ways[udpOf(house)], /^bad: .*This browser does not take the entry/s);
    await house.closePages();
  });
}

/** A server that is closed to strangers. @param {any} house */
export function closedTest(house) {
  house.test('a stranger is asked to sign in; a wrong key is told so, a right one tests at once', async () => {
    const key = (await house.server.command(['keys', 'add', '--scope', 'mint'])).trim();
    const page = await house.open({ expect: /status of 401/, width: 360, height: 740 });
    await page.goto(`${house.origin}/test`);
    await page.getByRole('button', { name: 'Run the test' }).click();
    await page.getByRole('heading', { name: 'Sign in to test' }).waitFor();
    await sound(page, 'the door');
    await house.shot(page, 'test-door-360');
    await page.getByText('Use an API key or a ticket').click();
    await page.locator('#door-key').fill('rk_wrong');
    await page.getByRole('button', { name: 'Sign in and test' }).click();
    await page.getByText('This key is not accepted').waitFor();
    await page.locator('#door-key').fill(key);
    await page.getByRole('button', { name: 'Sign in and test' }).click();
    await page.locator('.try').first().waitFor();
    assert.match((await ended(page)).verdict, /^Everything works/);
    await house.closePages();
  });

  house.test('a key that may not mint is told what it lacks; an own entry needs no key at all', async () => {
    const key = (await house.server.command(['keys', 'add', '--scope', 'rooms'])).trim();
    const page = await house.open({ expect: /status of 40[13]/ });
    await page.goto(`${house.origin}/test`);
    await page.getByRole('button', { name: 'Run the test' }).click();
    await page.getByText('Use an API key or a ticket').click();
    await page.locator('#door-key').fill(key);
    await page.getByRole('button', { name: 'Sign in and test' }).click();
    await page.getByText('it needs the scope mint').waitFor();
    await page.getByRole('button', { name: 'Test an entry of my own' }).click();
    const { ways } = await runOwn(page, udpOf(house), credential());
    assert.match(ways[udpOf(house)], /^good: .*Came back\s+100 of 100/s);
    await house.closePages();
  });

  house.test('with a creator link nothing is asked', async () => {
    const page = await house.open();
    await page.goto(house.server.creatorLink());
    await page.locator('#view-start').waitFor();
    assert.match((await run(page, house.origin)).verdict, /^Everything works/);
    await house.closePages();
  });
}

/** One allocation for each credential. */
export const ONE_EACH = { set: [...SHARED.set, 'quota.allocations_per_credential=1'] };
/** @param {any} house */
export function quotaTest(house) {
  house.test('a quota that leaves no second allocation is told, not taken for a fault', async () => {
    const page = await house.open();
    const { verdict, ways } = await run(page, house.origin);
    assert.match(verdict, /^The relay allocates; whether it relays could not be seen/, JSON.stringify(ways, null, 2));
    for (const [url, words] of Object.entries(ways)) {
      if (url.startsWith('turn')) assert.match(words, /^unsure: .*the echo needs a second allocation\. No allocation is left: `quota\.allocations_per_credential` is reached/s);
    }
    await house.shot(page, 'test-quota', { fullPage: true });
    await house.closePages();
  });
}

/** One place for everybody. */
export const FULL = { set: [...SHARED.set, 'quota.allocations=1'] };
/** @param {any} house */
export function fullTest(house) {
  house.test('a server without room is told so', async () => {
    const holder = await house.open();
    const page = await house.open();
    await holder.goto(`${house.origin}/test`);
    await holder.evaluate(async ([url, { username, credential: password }]) => {
      window.held = new RTCPeerConnection({ iceServers: [{ urls: url, username, credential: password }], iceTransportPolicy: 'relay' });
      window.held.createDataChannel('x');
      const found = new Promise((resolve) => { window.held.addEventListener('icecandidate', ({ candidate }) => { if (candidate?.type === 'relay') resolve(); }); });
      await window.held.setLocalDescription();
      await found;
    }, [udpOf(house), credential()]);
    const { verdict, ways } = await run(page, house.origin);
    assert.match(verdict, /^No relay works from here/);
    for (const [url, words] of Object.entries(ways)) {
      if (url.startsWith('turn')) assert.match(words, /^bad: .*The server has no room left: `quota\.allocations` is reached\.\s+Try again in some minutes/s);
    }
    await house.closePages();
  });
}

/** Peers as without being told, and one inner network. */
export const ONE_NETWORK = { ...SHARED, dev: false, set: [...SHARED.set, 'peers.allow=["10.9.0.0/16"]'] };
/** @param {any} house */
export function refusedPeersTest(house) {
  house.test('a peer that the relay refuses is named with the rule that refuses it; one that it takes is told too', async () => {
    const page = await house.open({ width: 360, height: 740 });
    await page.goto(`${house.origin}/test`);
    await page.getByText('Test an entry of your own').click();
    await page.locator('#own-peer').fill('10.1.2.3');
    await page.getByRole('button', { name: 'Run the test' }).click();
    await page.getByText('The peer needs an address and a port').waitFor();
    await page.locator('#own-peer').fill('10.1.2.3:4000');
    const refused = await runOwn(page, udpOf(house), credential());
    assert.match(refused.verdict, /^The relay works, but it does not send to that peer/, JSON.stringify(refused.ways, null, 2));
    assert.match(refused.ways[udpOf(house)], /^bad: .*Relays, but not to 10\.1\.2\.3:4000: peer 10\.1\.2\.3: `peers\.deny` closes 10\.0\.0\.0\/8/s);
    await house.shot(page, 'test-peer-refused-360', { fullPage: true });
    await page.locator('#own-peer').fill('10.9.9.9:4000');
    const taken = await runOwn(page, udpOf(house), credential());
    assert.match(taken.ways[udpOf(house)], /^good: .*It sends to 10\.9\.9\.9:4000 as well/s);
    await house.closePages();
  });
}
