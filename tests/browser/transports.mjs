// Chromium's own TURN client over every transport: each minted URL alone must carry a connection.

import assert from 'node:assert/strict';
import { createServer } from 'node:net';

/** Chromium takes the certificate that --dev makes. */
export const TRUSTING = ['--ignore-certificate-errors'];

/** A port that was free on 127.0.0.1 a moment ago, for what two lists are to name. */
export const freePort = () => new Promise((resolve, reject) => {
  const server = createServer().once('error', reject);
  server.listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    server.close(() => resolve(port));
  });
});

/** Runs in the page: two connections that may use nothing but `url`, and a word from one to the other. */
async function throughRelay(url) {
  const { iceServers } = await (await fetch('/api/v1/ice')).json();
  const { username, credential } = iceServers.find((server) => server.username);
  const configuration = { iceServers: [{ urls: [url], username, credential }], iceTransportPolicy: 'relay' };
  const one = new RTCPeerConnection(configuration);
  const other = new RTCPeerConnection(configuration);
  const errors = [];
  for (const [from, to] of [[one, other], [other, one]]) {
    from.onicecandidate = ({ candidate }) => { if (candidate) to.addIceCandidate(candidate); };
    from.onicecandidateerror = ({ errorCode, errorText }) => errors.push(`${errorCode} ${errorText}`);
  }
  const channel = one.createDataChannel('word');
  const heard = new Promise((resolve) => {
    other.ondatachannel = (event) => { event.channel.onmessage = ({ data }) => resolve(data); };
  });
  channel.onopen = () => channel.send('through the relay');
  await one.setLocalDescription();
  await other.setRemoteDescription(one.localDescription);
  await other.setLocalDescription();
  await one.setRemoteDescription(other.localDescription);
  const late = new Promise((resolve) => { setTimeout(resolve, 20_000, 'nothing in time'); });
  const word = await Promise.race([heard, late]);
  const stats = [...(await one.getStats()).values()];
  const protocol = stats.find((one) => one.type === 'local-candidate' && one.relayProtocol)?.relayProtocol;
  one.close();
  other.close();
  return { word, protocol, errors };
}

/** Each URL the page is given, with the transport Chromium says it took. */
async function tryAll(house, expected) {
  const page = await house.open();
  await page.goto(house.origin);
  const urls = await page.evaluate(async () => {
    const { iceServers } = await (await fetch('/api/v1/ice')).json();
    return iceServers.flatMap((server) => server.urls).filter((url) => !url.startsWith('stun:'));
  });
  const took = [];
  for (const url of urls) {
    const { word, protocol, errors } = await page.evaluate(throughRelay, url);
    assert.equal(word, 'through the relay', `${url}: ${errors.join('; ')}`);
    took.push(`${protocol} ${url.includes('[') ? 6 : 4}`);
  }
  assert.deepEqual(took.sort(), expected);
  await house.closePages();
}

/** @param {any} house */
export function transports(house) {
  house.test('Chromium relays over UDP, TCP and TLS, over IPv4 and IPv6', () =>
    tryAll(house, ['tcp 4', 'tcp 6', 'tls 4', 'tls 6', 'udp 4', 'udp 6']));
}

/** @param {any} house */
export function onePort(house) {
  house.test('Chromium relays over TLS on the port of the page, which is HTTPS', async () => {
    assert.match(house.origin, /^https:/);
    await tryAll(house, ['tcp 4', 'tls 4', 'udp 4']);
  });
}
