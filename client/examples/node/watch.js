#!/usr/bin/env node
// Follows a job of Bitloom, prompt by prompt, until it has ended; Ctrl-C cancels it.
//
//   node watch.js jobs/JOB [HOST:PORT]

'use strict';

const {AWAY, bitloom, call, grpc, run} = require('./submit.js');

/** Prints every prompt that comes to its end, each once, over as many connections as it takes. */
async function watch(client, name) {
  let cursor = '';
  let job;
  for (;;) {
    try {
      const stream = client.WatchJob({name, prompts: true, after_cursor: cursor});
      for await (const response of stream) {
        if (response.event === 'job') {
          job = response.job;
        } else if (response.event === 'prompt') {
          show(response.prompt);
          cursor = response.cursor;
        }
      }
      return job;
    } catch (error) {
      if (!AWAY.includes(error.code)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
}

function show(prompt) {
  const outcome = prompt.failure ? prompt.failure.reason : `${prompt.images} images`;
  console.log(`${prompt.custom_id}: ${outcome}`);
}

async function main() {
  const [name, target = '127.0.0.1:7700'] = process.argv.slice(2);
  if (!name) {
    console.error('usage: node watch.js jobs/JOB [HOST:PORT]');
    return 2;
  }
  const client = new bitloom.v1.BatchService(target, grpc.credentials.createInsecure());
  // The watch goes on: it ends with the job.
  process.once('SIGINT', () =>
    call(client, 'CancelJob', {name}).catch((error) => console.error(error.details)),
  );
  try {
    const job = await watch(client, name);
    console.log(`${job.counts.succeeded} of ${job.counts.appended}, ${job.state}`);
    return job.state === 'JOB_STATE_SUCCEEDED' ? 0 : 3;
  } finally {
    client.close();
  }
}

run(main);
