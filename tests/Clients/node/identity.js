// Provisions itself as the device SDK does: a certificate by key and by signing request, and a thing; prints each answer.
// node identity.js '{"host": …}'
const wish = JSON.parse(process.argv[2]);
const { mqtt5, iot, iotidentity } = require('aws-iot-device-sdk-v2');
setTimeout(() => fail('Not everything came back in time.'), 45000).unref();

function fail(why) {
  console.error(why && why.modeledError ? JSON.stringify(why.modeledError) : String(why));
  process.exit(1);
}

const config = iot.AwsIotMqtt5ClientConfigBuilder.newDirectMqttBuilderWithMtlsFromPath(wish.host, wish.certificate, wish.key)
  .withPort(wish.port)
  .withCertificateAuthorityFromPath(undefined, wish.ca)
  .withConnectProperties({ clientId: 'claim', keepAliveIntervalSeconds: 60 })
  .build();
const client = new mqtt5.Mqtt5Client(config);
const identity = iotidentity.IotIdentityClientv2.newFromMqtt5(client, { maxRequestResponseSubscriptions: 6, maxStreamingSubscriptions: 2, operationTimeoutInSeconds: 20 });

client.on('connectionFailure', e => fail(e.error));
client.on('connectionSuccess', async () => {
  try {
    const made = await identity.createKeysAndCertificate({});
    console.log('keys', made.certificateId.length, made.privateKey.split('\n')[0]);
    const thing = await identity.registerThing({ templateName: wish.template, certificateOwnershipToken: made.certificateOwnershipToken, parameters: { Serial: '1' } });
    console.log('thing', thing.thingName, JSON.stringify(thing.deviceConfiguration));
    const own = await identity.createCertificateFromCsr({ certificateSigningRequest: wish.csr });
    console.log('csr', own.certificatePem.split('\n')[0]);
    const wrong = await identity.registerThing({ templateName: wish.template, certificateOwnershipToken: 'made up', parameters: { Serial: '2' } }).catch(refusal => refusal.modeledError);
    console.log('refused', wrong.statusCode, wrong.errorCode);
    process.exit(0);
  } catch (error) {
    fail(error);
  }
});
client.start();
