// The operator's dashboard at /admin: what a real call looks like there, and what an operator does about it.

import assert from 'node:assert/strict';
import { faint, sideways, tiny, unnamed } from './checks.mjs';
import { copyInvite, join, makeRoom, until, untilFrames } from './pages.mjs';

const PASSWORD = 'a password of some length';
/** What a name may hold: markup, a turn of the writing's direction, and no place to break. */
const HOSTILE = '<img src=x onerror=alert(1)>\u202egnp.exe';
const LONG = 'W'.repeat(42);

const sound = async (page, where) => {
  for (const check of [unnamed, faint, sideways, tiny]) assert.deepEqual(await page.evaluate(check), [], `${check.name}: ${where}`);
};

/** @param {any} house */
const add = (house, name, ...more) => house.server.command(['users', 'add', name, '--password-stdin', ...more], PASSWORD);

/** @param {any} page @param {string} name */
async function signIn(page, name, password = PASSWORD) {
  await page.locator('#door-name').fill(name);
  await page.locator('#door-password').fill(password);
  await page.locator('#door-go').click();
}

/** A dashboard that somebody is signed in to. @param {any} house @param {string} key @param {object} [how] */
async function dashboard(house, key, how) {
  const page = await house.open(how);
  await page.goto(`${house.origin}/admin`);
  await page.getByText('Use an API key').click();
  await page.locator('#door-key').fill(key);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.locator('#view-board').waitFor();
  return page;
}

/** Asks the relay in the name of nobody it knows, over and over. @param {any} page @param {string} url @param {string} username */
const knock = (page, url, username) => page.evaluate(async ([urls, user]) => {
  const connection = new RTCPeerConnection({ iceServers: [{ urls, username: user, credential: 'guessed' }], iceTransportPolicy: 'relay' });
  connection.createDataChannel('x');
  const over = new Promise((resolve) => { connection.addEventListener('icecandidateerror', resolve); });
  await connection.setLocalDescription();
  await over;
  connection.close();
}, [url, username]);

/** @param {any} house */
export function boards(house) {
  let key;
  house.test('the door: nothing, a wrong password, an account that is no operator’s, and the right one', async () => {
    await add(house, 'root', '--role', 'admin');
    await add(house, 'ada');
    key = (await house.server.command(['keys', 'add', '--scope', 'rooms,admin'])).trim();
    const page = await house.open({ expect: /status of 40[13]/, width: 360, height: 740 });
    await page.goto(`${house.origin}/admin`);
    await page.getByRole('heading', { name: 'Dashboard' }).waitFor();
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('A user name and a password are needed').waitFor();
    await signIn(page, 'root', 'not the password at all');
    await page.getByText('Name or password is wrong.').waitFor();
    await sound(page, 'the door');
    await house.shot(page, 'admin-door-360', { fullPage: true });
    await signIn(page, 'ada');
    await page.getByText('This account or key is not an operator’s').waitFor();
    await signIn(page, 'root');
    await page.getByText('Signed in as root').waitFor();
    await page.reload();
    await page.getByText('Signed in as root').waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('button', { name: 'Sign in' }).waitFor();
    assert.deepEqual(await page.evaluate(() => [...Object.keys(sessionStorage)].filter((one) => /account|key/.test(one))), []);
    await house.closePages();
  });

  house.test('who is removed is signed out at the next look', async () => {
    await add(house, 'gone', '--role', 'admin');
    const page = await house.open({ expect: /status of 401/ });
    await page.goto(`${house.origin}/admin`);
    await signIn(page, 'gone');
    await page.getByText('Signed in as gone').waitFor();
    await house.server.command(['users', 'remove', 'gone']);
    await page.getByText('You have been signed out.').waitFor();
    await house.closePages();
  });

  let [ada, grace, board] = [];
  const row = () => board.locator('#allocations tr');
  house.test('a call’s allocations, rates and people are there without a reload', async () => {
    board = await dashboard(house, key, { width: 1400, height: 1000 });
    await board.getByText('Nobody relays anything right now.').waitFor();
    await board.getByText('There are no rooms.').waitFor();
    await house.shot(board, 'admin-empty-1400', { fullPage: true });
    await sound(board, 'nothing there');
    [ada, grace] = [await house.open({ expect: /WebSocket|status of/ }), await house.open({ expect: /WebSocket|status of/ })];
    await makeRoom(ada, house.origin, { name: HOSTILE, link: house.server.creatorLink().slice(house.origin.length), room: LONG, lobby: true });
    const link = await copyInvite(ada);
    await join(grace, link, { name: 'Grace Hopper' });
    const room = board.locator('.room');
    await room.getByRole('button', { name: 'Admit Grace Hopper' }).waitFor();
    await house.shot(board, 'admin-lobby-1400', { fullPage: true });
    await room.getByRole('button', { name: 'Admit Grace Hopper' }).click();
    await untilFrames(grace, 10);
    await until('the allocations', async () => await row().count() >= 2);
    await room.getByText('2 of 8').waitFor();
    await room.getByText('host, sends media').waitFor();
    assert.equal(await room.locator('img').count(), 0, 'a name is text');
    await until('a rate', () => row().evaluateAll((all) => all.some((one) => /[1-9].*\s[kM]bit\/s/.test(one.querySelector('.rate').innerText))));
    await until('the total rate', async () => /[1-9].*\s[kM]bit\/s/.test(await board.locator('#tile-traffic .value').innerText()));
    assert.equal(await board.locator('#tile-people .value').innerText(), '2');
    await row().filter({ hasText: 'Grace Hopper' }).filter({ hasText: LONG }).first().waitFor();
    const text = await row().first().innerText();
    assert.match(text, /127\.0\.0\.1:\d+|192\.0\.2\.2:\d+|\d+\.\d+\.\d+\.\d+:\d+/);
    assert.match(text, /UDP/);
    await board.getByText('came in as host').first().waitFor();
    await until('some sparkline', () => row().first().locator('.spark .line').evaluate((line) => (line.getAttribute('d') ?? '').split('L').length > 4));
  });

  for (const [size, viewport] of [['360', { width: 360, height: 740 }], ['800', { width: 800, height: 900 }], ['1130', { width: 1130, height: 900 }], ['1400', { width: 1400, height: 1000 }]]) {
    house.test(`the call on a screen ${size} wide, dark and light`, async () => {
      await board.setViewportSize(viewport);
      for (const colorScheme of ['dark', 'light']) {
        await board.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        await sound(board, `${size} ${colorScheme}`);
        await house.shot(board, `admin-call-${size}-${colorScheme}`, { fullPage: true });
        await board.evaluate(() => document.getElementById('allocations-title').scrollIntoView());
        await house.shot(board, `admin-rows-${size}-${colorScheme}`);
        await board.evaluate(() => scrollTo(0, 0));
        await house.shot(board, `admin-top-${size}-${colorScheme}`);
      }
    });
  }

  house.test('the filter leaves those whose name begins so', async () => {
    const filter = board.getByLabel('Users whose name begins with');
    const user = (await row().first().locator('.user').getAttribute('title')).split(':')[1];
    await filter.fill('nobody-is-called-so');
    await board.getByText('Nobody whose name begins with “nobody-is-called-so”').waitFor();
    await filter.fill(user.slice(0, 5));
    await row().first().waitFor();
    await board.getByText(/shown, of \d+ open/).waitFor();
    await filter.fill('');
  });

  house.test('a room is locked and unlocked', async () => {
    await board.getByRole('button', { name: /^Lock/ }).click();
    await board.locator('.room').getByText('locked').waitFor();
    await ada.getByText('Locked', { exact: false }).first().waitFor();
    await board.getByRole('button', { name: /^Unlock/ }).click();
    await board.getByRole('button', { name: /^Lock/ }).waitFor();
  });

  house.test('an allocation is ended: asked first, gone after, by the keyboard alone', async () => {
    const before = await row().evaluateAll((all) => all.map((one) => one.dataset.allocation));
    await row().first().getByRole('button').focus();
    await board.keyboard.press('Enter');
    await board.getByRole('dialog').waitFor();
    await sound(board, 'the question');
    await house.shot(board, 'admin-sure-1400');
    await board.keyboard.press('Escape');
    assert.equal(await row().first().getAttribute('data-allocation'), before[0], 'Escape ends nothing');
    await board.keyboard.press('Enter');
    await board.getByRole('button', { name: 'End it' }).focus();
    await board.keyboard.press('Enter');
    await until('it is gone', async () => !(await row().evaluateAll((all) => all.map((one) => one.dataset.allocation))).includes(before[0]));
    await board.getByText(`Allocation ${before[0]} ended with the API key`).waitFor();
  });

  house.test('somebody is kicked, and told so', async () => {
    await board.getByRole('button', { name: 'Kick Grace Hopper' }).click();
    await board.getByRole('button', { name: 'Kick', exact: true }).click();
    await grace.getByText('The host removed you').waitFor();
    await board.locator('.room').getByText('1 of 8').waitFor();
    await board.getByText(/left: kicked/).waitFor();
  });

  house.test('a room is closed, and everybody in it told', async () => {
    await board.getByRole('button', { name: `Close ${LONG}` }).click();
    await board.getByRole('button', { name: 'Close it' }).click();
    await ada.getByText('The room was closed').waitFor();
    await board.getByText('There are no rooms.').waitFor();
  });

  house.test('refusals are counted by reason, and told in the server’s words, markup and all', async () => {
    for (const name of [HOSTILE, HOSTILE, '1700000000:late']) await knock(ada, `turn:${house.server.udp[0]}?transport=udp`, name);
    const list = board.locator('#refusals');
    await list.getByText(/401 wrong or expired credential: no such user/).first().waitFor();
    await list.getByText(/expired \d+ s ago/).first().waitFor();
    await board.locator('#reasons li', { hasText: '401 wrong or expired credential' }).waitFor();
    assert.equal(await list.locator('img').count(), 0);
    assert.notEqual(await board.locator('#tile-refused .value').innerText(), '0');
    for (const viewport of [{ width: 1400, height: 1000 }, { width: 360, height: 740 }]) {
      await board.setViewportSize(viewport);
      await sound(board, 'refusals');
      await house.shot(board, `admin-refusals-${viewport.width}`, { fullPage: true });
    }
  });

  house.test('hidden it asks for nothing; seen again it looks at once', async () => {
    let asked = 0;
    board.on('request', () => { asked += 1; });
    const setHidden = (hidden) => board.evaluate((value) => {
      Object.defineProperty(document, 'hidden', { configurable: true, get: () => value });
      document.dispatchEvent(new Event('visibilitychange'));
    }, hidden);
    await setHidden(true);
    await board.waitForTimeout(2500); // the look that was under way, and its rest
    asked = 0;
    await board.waitForTimeout(3000);
    assert.equal(asked, 0);
    await setHidden(false);
    await until('a look', async () => asked > 0);
  });

  house.test('a server that is gone is said to be, and is back without a reload', async () => {
    board.complaints.length = 0;
    await board.route('**/api/v1/**', (route) => route.abort());
    await board.getByText('The server does not answer. Trying again.').waitFor();
    await board.getByText('Not live').waitFor();
    await house.shot(board, 'admin-lost-360');
    await board.unroute('**/api/v1/**');
    await board.getByText(/^Live, /).waitFor();
    await until('the notice to go', async () => await board.locator('.notice').count() === 0);
    board.complaints = board.complaints.filter((one) => !/ERR_FAILED/.test(one));
    await house.closePages();
  });
}

/** A server with thousands of allocations, as the page is told of them. @param {any} house */
export function crowdedBoards(house) {
  house.test('thousands of allocations: the first two hundred, the total, and a page that stays quick', async () => {
    const key = (await house.server.command(['keys', 'add', '--scope', 'admin,rooms'])).trim();
    const page = await house.open({ width: 1400, height: 1000 });
    await page.route('**/api/v1/admin/allocations?*', (route) => {
      const allocations = Array.from({ length: 200 }, (_, at) => ({
        id: String(at + 1), user: at === 3 ? 'مستخدم باسم طويل'.repeat(12) : `user${at}`, username: `1800000000:user${at}`, client: at % 2 ? `[2001:db8:1234:5678:9abc:def0:1234:${at}]:50000` : `203.0.113.${at}:50000`,
        transport: ['udp', 'tcp', 'tls'][at % 3], relayed: ['198.51.100.7:60000', '[2001:db8::7]:60001'], age: at * 61, expiresIn: 600, permissions: 2, channels: 1,
        bytesUp: at * 1e7, bytesDown: 123456, packetsUp: 1000, packetsDown: 1, rateUp: at * 1000, rateDown: Math.floor(Math.random() * 1e6),
      }));
      return route.fulfill({ json: { allocations, total: 5120, next: '200' } });
    });
    await page.goto(`${house.origin}/admin`);
    await page.getByText('Use an API key').click();
    await page.locator('#door-key').fill(key);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('The first 200 shown, of 5,120 open').waitFor();
    const last = page.locator('#allocations tr').last();
    await last.getByRole('button').focus();
    const seen = await page.locator('#live').innerText();
    await until('two more looks', async () => await page.locator('#live').innerText() !== seen);
    assert.equal(await page.evaluate(() => document.activeElement?.closest('tr')?.dataset.allocation), '200', 'the focus stays');
    assert.equal(await page.locator('#allocations tr').count(), 200);
    for (const width of [1400, 360]) {
      await page.setViewportSize({ width, height: 900 });
      await sound(page, `thousands, ${width}`);
      await page.evaluate(() => scrollTo(0, 0));
      await house.shot(page, `admin-thousands-${width}`);
    }
    await house.closePages();
  });
}
