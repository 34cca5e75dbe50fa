// Connects with a real client, subscribes, publishes with QoS 1, and prints what came back.
// node connect.js KIND '{"host": …}'
const [kind, text] = process.argv.slice(2);
const wish = JSON.parse(text);
setTimeout(() => { console.error('Nothing came back in time.'); process.exit(1); }, 45000);

function fail(why) {
  console.error(String(why));
  process.exit(1);
}

// mqtt.js over WebSocket, with an address that is signed already.
function withMqttJs() {
  const mqtt = require('mqtt');
  const client = mqtt.connect(wish.url, { clientId: wish.clientId, protocolVersion: wish.version, ca: wish.ca && require('fs').readFileSync(wish.ca), reconnectPeriod: 0 });
  client.on('error', fail);
  client.on('close', () => fail('closed'));
  client.on('message', (topic, payload) => { console.log(`${topic} ${payload}`); process.exit(0); });
  client.on('connect', () => client.subscribe(wish.topic, { qos: 1 }, refused => refused ? fail(refused) : client.publish(wish.topic, wish.payload, { qos: 1 })));
}

// The device SDK with MQTT 5; it signs, speaks TLS and chooses ALPN by itself.
function withSdk() {
  const { mqtt5, iot, auth } = require('aws-iot-device-sdk-v2');
  const builders = {
    sigv4: () => iot.AwsIotMqtt5ClientConfigBuilder.newWebsocketMqttBuilderWithSigv4Auth(wish.host, {
      region: wish.region,
      credentialsProvider: auth.AwsCredentialsProvider.newStatic(wish.keyId, wish.secret, wish.token),
    }),
    certificate: () => iot.AwsIotMqtt5ClientConfigBuilder.newDirectMqttBuilderWithMtlsFromPath(wish.host, wish.certificate, wish.key),
    authorizer: () => iot.AwsIotMqtt5ClientConfigBuilder.newDirectMqttBuilderWithCustomAuth(wish.host, custom()),
    'authorizer-websocket': () => iot.AwsIotMqtt5ClientConfigBuilder.newWebsocketMqttBuilderWithCustomAuth(wish.host, custom()),
  };
  const custom = () => ({
    authorizerName: wish.authorizer, username: 'someone', password: Buffer.from(wish.password),
    tokenKeyName: wish.tokenKey, tokenValue: wish.token, tokenSignature: wish.signature && encodeURIComponent(wish.signature),
  });
  const config = builders[wish.how]()
    .withPort(wish.port)
    .withCertificateAuthorityFromPath(undefined, wish.ca)
    .withConnectProperties({ clientId: wish.clientId, keepAliveIntervalSeconds: 60 })
    .build();
  const client = new mqtt5.Mqtt5Client(config);
  client.on('connectionFailure', e => fail(`${e.error} ${e.connack ? JSON.stringify(e.connack) : ''}`));
  client.on('messageReceived', e => { console.log(`${e.message.topicName} ${Buffer.from(e.message.payload)}`); process.exit(0); });
  client.on('connectionSuccess', async () => {
    await client.subscribe({ subscriptions: [{ topicFilter: wish.topic, qos: 1 }] });
    await client.publish({ topicName: wish.topic, qos: 1, payload: wish.payload });
  });
  client.start();
}

// The device SDK with MQTT 3.1.1.
async function withSdk3() {
  const { mqtt, iot, auth, io } = require('aws-iot-device-sdk-v2');
  const builder = wish.how === 'sigv4'
    ? iot.AwsIotMqttConnectionConfigBuilder.new_with_websockets({ region: wish.region, credentials_provider: auth.AwsCredentialsProvider.newStatic(wish.keyId, wish.secret) })
    : iot.AwsIotMqttConnectionConfigBuilder.new_mtls_builder_from_path(wish.certificate, wish.key);
  const config = builder.with_certificate_authority_from_path(undefined, wish.ca).with_clean_session(true)
    .with_client_id(wish.clientId).with_endpoint(wish.host).with_port(wish.port).build();
  const connection = new mqtt.MqttClient(new io.ClientBootstrap()).new_connection(config);
  await connection.connect();
  await connection.subscribe(wish.topic, mqtt.QoS.AtLeastOnce, (topic, payload) => { console.log(`${topic} ${Buffer.from(payload)}`); process.exit(0); });
  await connection.publish(wish.topic, wish.payload, mqtt.QoS.AtLeastOnce);
}

Promise.resolve(({ mqttjs: withMqttJs, sdk5: withSdk, sdk3: withSdk3 })[kind]()).catch(fail);
