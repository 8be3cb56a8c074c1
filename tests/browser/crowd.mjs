// More than two people: everyone connected to everyone, and a page that stays good to look at.

import assert from 'node:assert/strict';
import { faint, sideways, tiny, unnamed } from './checks.mjs';
import { copyInvite, join, makeRoom, until } from './pages.mjs';

const NAMES = ['Ada Lovelace', 'Grace Hopper', 'Alan Turing', 'Barbara Liskov'];

/** @param {any} house */
export function crowd(house) {
  let people;
  const others = (page) => page.locator('#tiles .tile:not(.self)');
  /** Every connection of a page that is connected: the kinds of its two ends. */
  const pairs = (page) => page.evaluate(async () => {
    const found = [];
    for (const connection of window.seen.connections.filter((one) => one.connectionState === 'connected')) {
      const all = [...(await connection.getStats()).values()];
      const pair = all.find((one) => one.id === all.find((entry) => entry.type === 'transport')?.selectedCandidatePairId);
      const kind = (id) => all.find((one) => one.id === id)?.candidateType;
      found.push(`${kind(pair?.localCandidateId)} ${kind(pair?.remoteCandidateId)}`);
    }
    return found;
  });

  house.test('four people are connected, each to each, through the relay', async () => {
    people = [await house.open(), await house.open(), await house.open({ dark: true }), await house.open({ width: 390, height: 780 })];
    await makeRoom(people[0], house.origin, { name: NAMES[0] });
    for (const [at, page] of people.entries()) if (at > 0) await join(page, await copyInvite(people[0]), { name: NAMES[at] });
    for (const page of people) {
      await page.getByText('4 people').waitFor();
      await until('three relayed paths', async () => (await pairs(page)).join() === Array(3).fill('relay relay').join(), 40_000);
      await until('three pictures', () => others(page).locator('video').evaluateAll((all) => all.length === 3 && all.every((one) => one.videoWidth > 0)));
    }
    const connections = await Promise.all(people.map((page) => page.evaluate(() => window.seen.connections.length)));
    assert.deepEqual(connections, [3, 3, 3, 3], 'nobody needed a second try');
  });

  house.test('everybody knows everybody by name, as the server was told', async () => {
    for (const [at, page] of people.entries()) {
      const seen = await others(page).locator('.who').allInnerTexts();
      assert.deepEqual(seen.sort(), NAMES.filter((_, other) => other !== at).sort());
      await page.getByText('3 of 3 connected, through the relay').waitFor();
    }
    await house.shot(people[0], 'four');
    await house.shot(people[2], 'four-dark');
    await house.shot(people[3], 'four-phone');
    for (const check of [unnamed, faint, sideways, tiny]) assert.deepEqual(await people[3].evaluate(check), [], check.name);
  });

  house.test('what is written reaches all, and the switches of each are seen by all', async () => {
    const [ada, grace, alan, barbara] = people;
    await grace.getByRole('button', { name: 'Microphone' }).click();
    await barbara.getByRole('button', { name: 'Chat' }).click();
    await barbara.getByLabel('Message', { exact: true }).fill('Hello, everybody.');
    await barbara.keyboard.press('Enter');
    for (const page of [ada, grace, alan]) await page.locator('.notice', { hasText: 'Barbara Liskov: Hello, everybody.' }).waitFor();
    for (const page of [ada, alan, barbara]) await others(page).filter({ hasText: 'Grace Hopper' }).getByText('muted').waitFor();
    await ada.getByRole('button', { name: 'People' }).click();
    await ada.locator('#people-list li', { hasText: 'Grace Hopper' }).getByRole('img', { name: 'microphone off' }).waitFor();
    await house.shot(ada, 'people');
    await house.shot(barbara, 'chat-phone');
    await barbara.keyboard.press('Escape');
    await ada.keyboard.press('Escape');
  });

  house.test('a file goes to each of them, each with an answer of their own', async () => {
    const [ada, ...rest] = people;
    await ada.locator('#chat-file').setInputFiles({ name: 'minutes.txt', mimeType: 'text/plain', buffer: Buffer.from('We met.\n') });
    await ada.getByRole('button', { name: 'Chat' }).click();
    const [grace, alan, barbara] = rest.map((page) => page.locator('.notice', { hasText: 'minutes.txt' }));
    await grace.getByRole('button', { name: 'Accept' }).click();
    await alan.getByRole('button', { name: 'Accept' }).click();
    await barbara.getByRole('button', { name: 'Refuse' }).click();
    const line = (name) => ada.locator('#chat-log .card .moving', { hasText: name });
    for (const name of NAMES.slice(1, 3)) await line(name).getByText('Delivered').waitFor();
    await line('Barbara Liskov').getByText('They refused it').waitFor();
    await house.shot(ada, 'file-to-several');
    await ada.keyboard.press('Escape');
  });

  house.test('a shared screen is told to all and takes most of the room; ended, the camera is back', async () => {
    const [ada, , alan, barbara] = people;
    await alan.evaluate(() => {
      navigator.mediaDevices.getDisplayMedia = async () => {
        const canvas = Object.assign(document.createElement('canvas'), { width: 1280, height: 800 });
        const context = canvas.getContext('2d');
        const draw = () => {
          context.fillStyle = '#fff';
          context.fillRect(0, 0, 1280, 800);
          context.fillStyle = '#123';
          context.font = '72px sans-serif';
          context.fillText(`Quarterly numbers ${Date.now() % 1000}`, 80, 200);
        };
        draw();
        setInterval(draw, 100);
        return canvas.captureStream(10);
      };
    });
    await alan.getByRole('button', { name: 'Share your screen' }).click();
    for (const page of [ada, barbara]) {
      await page.locator('#tiles.spotlight .tile.screen', { hasText: 'shows a screen' }).waitFor();
      await until('the screen in its own size', () => page.locator('.tile.screen video').evaluate((video) => Math.abs(video.videoWidth / video.videoHeight - 1.6) < 0.05));
      const [screen, other] = await Promise.all([page.locator('.tile.screen').boundingBox(), page.locator('#tiles .tile:not(.screen)').first().boundingBox()]);
      assert.ok(screen.width * screen.height > 4 * other.width * other.height, 'the screen is much larger than the people');
    }
    await house.shot(ada, 'screen');
    await house.shot(barbara, 'screen-phone');
    await house.shot(alan, 'screen-mine');
    await alan.getByRole('button', { name: 'Share your screen' }).click();
    await ada.locator('#tiles .tile.screen').waitFor({ state: 'detached' });
    await until('his camera again', () => others(ada).filter({ hasText: 'Alan' }).locator('video').evaluate((video) => Math.abs(video.videoWidth / video.videoHeight - 1.6) > 0.1));
  });

  house.test('one who leaves is gone for all, and the others stay connected', async () => {
    await people[1].getByRole('button', { name: 'Leave' }).click();
    for (const page of [people[0], people[2], people[3]]) {
      await page.getByText('Grace Hopper left the call').waitFor();
      await page.getByText('3 people').waitFor();
      await page.getByText('2 of 2 connected').waitFor();
    }
    await house.closePages();
  });

  house.test('the grid of one to eight keeps every tile in the picture, and none much smaller than the rest', async () => {
    const page = await house.open();
    await page.goto(house.origin);
    const grids = await page.evaluate(async () => {
      const grid = await import('/assets/ui/grid.js');
      const all = (width, height) => Array.from({ length: 8 }, (_, n) => grid.bestGrid(n + 1, width, height)).map(({ columns, rows }) => `${columns}×${rows}`);
      return { wide: all(1068, 550), phone: all(374, 560) };
    });
    assert.deepEqual(grids.wide.slice(0, 4), ['1×1', '2×1', '2×2', '2×2']);
    assert.deepEqual(grids.phone.slice(0, 4), ['1×1', '1×2', '1×3', '2×2']);
    for (const [at, grid] of [...grids.wide.entries(), ...grids.phone.entries()]) {
      const [columns, rows] = grid.split('×').map(Number);
      assert.ok(columns * rows >= at + 1 && columns * (rows - 1) < at + 1, `${at + 1} people in ${grid}`);
    }
    await house.closePages();
  });
}
