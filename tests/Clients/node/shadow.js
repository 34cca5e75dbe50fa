// Works with a classic and a named shadow as the device SDK does, and prints each answer.
// node shadow.js '{"host": …}'
const wish = JSON.parse(process.argv[2]);
const { mqtt5, iot, iotshadow } = require('aws-iot-device-sdk-v2');
setTimeout(() => fail('Not everything came back in time.'), 45000).unref();

function fail(why) {
  console.error(why && why.modeledError ? JSON.stringify(why.modeledError) : String(why));
  process.exit(1);
}

const config = iot.AwsIotMqtt5ClientConfigBuilder.newDirectMqttBuilderWithMtlsFromPath(wish.host, wish.certificate, wish.key)
  .withPort(wish.port)
  .withCertificateAuthorityFromPath(undefined, wish.ca)
  .withConnectProperties({ clientId: wish.thing, keepAliveIntervalSeconds: 60 })
  .build();
const client = new mqtt5.Mqtt5Client(config);
const options = { maxRequestResponseSubscriptions: 6, maxStreamingSubscriptions: 4, operationTimeoutInSeconds: 20 };
const shadows = iotshadow.IotShadowClientv2.newFromMqtt5(client, options);

function next(stream, event) {
  return new Promise(resolve => stream.once(event, resolve));
}

// A stream that is subscribed.
async function opened(stream) {
  const ready = next(stream, 'subscriptionStatus');
  stream.open();
  await ready;
  return stream;
}

async function work(shadowName) {
  const of = { thingName: wish.thing, ...(shadowName && { shadowName }) };
  const call = (verb, more) => shadows[verb + (shadowName ? 'NamedShadow' : 'Shadow')]({ ...of, ...more });
  const deltas = await opened(shadowName ? shadows.createNamedShadowDeltaUpdatedStream(of) : shadows.createShadowDeltaUpdatedStream(of));
  const updates = await opened(shadowName ? shadows.createNamedShadowUpdatedStream(of) : shadows.createShadowUpdatedStream(of));
  const missing = await call('get', {}).catch(refusal => refusal.modeledError);
  console.log('get', missing.code);
  const [delta, update] = [next(deltas, 'incomingPublish'), next(updates, 'incomingPublish')];
  const set = await call('update', { state: { desired: { level: 7 }, reported: { level: 3 } } });
  console.log('update', set.version, JSON.stringify(set.state));
  console.log('delta', JSON.stringify((await delta).message.state));
  console.log('documents', JSON.stringify((await update).message.current.state));
  const stale = await call('update', { version: 7, state: { reported: { level: 4 } } }).catch(refusal => refusal.modeledError);
  console.log('stale', stale.code);
  await call('update', { version: 1, state: { reported: { level: 7 } } });
  const got = await call('get', {});
  console.log('get', got.version, JSON.stringify(got.state));
  console.log('delete', (await call('delete', {})).version);
}

client.on('connectionFailure', e => fail(e.error));
client.on('connectionSuccess', async () => {
  try {
    await work();
    await work('config');
    process.exit(0);
  } catch (error) {
    fail(error);
  }
});
client.start();
