// A server as an operator runs it: closed to strangers, peers refused by default.

import assert from 'node:assert/strict';
import { copyInvite, join, makeRoom, until, untilFrames, untilPair } from './pages.mjs';

/** @param {any} house */
export function closed(house) {
  house.test('without a creator link no room is made, and the page says how to get one', async () => {
    const page = await house.open({ expect: /status of 40[13]/ });
    await page.goto(house.origin);
    await page.getByRole('button', { name: 'Make a room' }).click();
    await page.getByText('or with a creator link from the operator').waitFor();
    await house.shot(page, 'no-creator');
    await house.closePages();
  });

  house.test('a creator link that is too old is told so', async () => {
    const page = await house.open({ expect: /status of 401/ });
    await page.goto(`${house.origin}/#creator=not.a.ticket`);
    await page.getByRole('button', { name: 'Make a room' }).click();
    await page.getByText('The link you came with is too old.').waitFor();
    await house.closePages();
  });

  house.test('from the creator link of the banner a room is made, and the call is relayed under the default peer policy', async () => {
    const link = await until('the creator link', () => house.server.creatorLink());
    assert.ok(link.startsWith(`${house.origin}/#creator=`), link);
    const ada = await house.open();
    const grace = await house.open();
    await makeRoom(ada, house.origin, { link: link.slice(house.origin.length) });
    assert.equal(ada.url(), `${house.origin}/`, 'the ticket has left the address bar');
    await join(grace, await copyInvite(ada));
    for (const page of [ada, grace]) {
      await untilPair(page, 'a relayed pair', (local, remote) => local === 'relay' && remote === 'relay');
      await untilFrames(page, 15);
    }
    await house.closePages();
  });

  house.test('a second room from the same tab needs no second link', async () => {
    const page = await house.open();
    await makeRoom(page, house.origin, { link: house.server.creatorLink().slice(house.origin.length) });
    await page.getByRole('button', { name: 'Leave' }).click();
    await page.getByRole('button', { name: 'Start a new call' }).click();
    await page.getByRole('button', { name: 'Make a room' }).click();
    await page.locator('#view-call').waitFor();
    await house.closePages();
  });
}
