// Works through the jobs of a thing as the device SDK does, and prints each step.
// node jobs.js '{"host": …}'
const wish = JSON.parse(process.argv[2]);
const { mqtt5, iot, iotjobs } = require('aws-iot-device-sdk-v2');
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
const jobs = iotjobs.IotJobsClientv2.newFromMqtt5(client, options);
const thingName = wish.thing;

function next(stream) {
  return new Promise(resolve => stream.once('incomingPublish', event => resolve(event.message)));
}

// A stream that is subscribed.
async function opened(stream) {
  const ready = new Promise(resolve => stream.once('subscriptionStatus', resolve));
  stream.open();
  await ready;
  return stream;
}

const ids = list => (list || []).map(e => e.jobId).join();
// The SDK makes dates of an execution's times and leaves a summary's as they come: seconds.
const isTime = value => Math.abs((value instanceof Date ? value.getTime() : value * 1000) - Date.now()) < 600000;

async function work() {
  const changes = await opened(jobs.createJobExecutionsChangedStream({ thingName }));
  const nexts = await opened(jobs.createNextJobExecutionChangedStream({ thingName }));
  const pending = await jobs.getPendingJobExecutions({ thingName });
  console.log('pending', ids(pending.inProgressJobs), ids(pending.queuedJobs), isTime(pending.queuedJobs[0].queuedAt));
  const described = await jobs.describeJobExecution({ thingName, jobId: '$next', includeJobDocument: true });
  console.log('next', described.execution.jobId, described.execution.status, JSON.stringify(described.execution.jobDocument));
  const started = await jobs.startNextPendingJobExecution({ thingName, statusDetails: { step: 'one' } });
  console.log('started', started.execution.jobId, started.execution.versionNumber, isTime(started.execution.startedAt), JSON.stringify(started.execution.statusDetails));
  const stale = await jobs.updateJobExecution({ thingName, jobId: 'first', status: 'IN_PROGRESS', expectedVersion: 9 }).catch(refusal => refusal.modeledError);
  console.log('stale', stale.code, stale.executionState.versionNumber);
  const [list, then] = [next(changes), next(nexts)];
  const done = await jobs.updateJobExecution({ thingName, jobId: 'first', status: 'SUCCEEDED', expectedVersion: 2, includeJobExecutionState: true });
  console.log('done', done.executionState.status, done.executionState.versionNumber);
  console.log('told', Object.entries((await list).jobs).map(([status, all]) => `${status} ${ids(all)}`).join());
  console.log('next is', (await then).execution.jobId);
  const late = await jobs.updateJobExecution({ thingName, jobId: 'first', status: 'IN_PROGRESS' }).catch(refusal => refusal.modeledError);
  console.log('late', late.code, late.executionState.status);
  const nothing = await jobs.describeJobExecution({ thingName, jobId: 'none' }).catch(refusal => refusal.modeledError);
  console.log('none', nothing.code);
  const last = await jobs.startNextPendingJobExecution({ thingName });
  await jobs.updateJobExecution({ thingName, jobId: last.execution.jobId, status: 'FAILED', statusDetails: { why: 'no disk' } });
  console.log('empty', (await jobs.startNextPendingJobExecution({ thingName })).execution === undefined);
}

client.on('connectionFailure', e => fail(e.error));
client.on('connectionSuccess', async () => {
  try {
    await work();
    process.exit(0);
  } catch (error) {
    fail(error);
  }
});
client.start();
