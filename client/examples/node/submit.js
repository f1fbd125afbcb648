#!/usr/bin/env node
// Submits a JSONL file of prompts to Bitloom and saves the images, with nothing but the proto files.
//
//   node submit.js FILE.jsonl OUT_DIR [HOST:PORT]

'use strict';

const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const grpc = require('@grpc/grpc-js');
const protoLoader = require('@grpc/proto-loader');

const PROTOS = path.resolve(__dirname, '../../../proto/src/main/proto');
const PROMPTS_PER_MESSAGE = 256;
const MAX_MESSAGE_BYTES = 64 << 20;
// A stream that something on the way reset is cancelled, though not by us.
const AWAY = [grpc.status.UNAVAILABLE, grpc.status.CANCELLED];
const EXTENSIONS = {
  IMAGE_FORMAT_PNG: 'png',
  IMAGE_FORMAT_JPEG: 'jpg',
  IMAGE_FORMAT_WEBP: 'webp',
  IMAGE_FORMAT_WEBP_LOSSLESS: 'webp',
};

const {bitloom} = grpc.loadPackageDefinition(
  protoLoader.loadSync('bitloom/v1/batch_service.proto', {
    includeDirs: [PROTOS],
    keepCase: true,
    longs: String,
    enums: String,
    defaults: true,
    oneofs: true,
  }),
);

/** A line of the file as a Prompt message: sampling has a message of its own there. */
function promptOf(line) {
  const {
    preset, guidance, guidance_schedule, guidance_layers, temperature, top_p, top_k, greedy,
    format, ...prompt
  } = JSON.parse(line);
  const list = (value) => (value === undefined ? [] : [value].flat());
  // webp-lossless of a file is IMAGE_FORMAT_WEBP_LOSSLESS of the interface.
  const constant = (prefix, name) =>
    name === undefined ? undefined : `${prefix}_${name.toUpperCase().replaceAll('-', '_')}`;
  prompt.sampling = {
    preset: constant('SAMPLING_PRESET', preset),
    guidance: list(guidance),
    guidance_schedule: constant('GUIDANCE_SCHEDULE', guidance_schedule),
    guidance_layers: list(guidance_layers),
    temperature: list(temperature),
    greedy,
  };
  if (top_p !== undefined) prompt.sampling.top_p = top_p;
  if (top_k !== undefined) prompt.sampling.top_k = top_k;
  if (format !== undefined) prompt.format = constant('IMAGE_FORMAT', format);
  return prompt;
}

/** Calls a method that is not a stream. */
function call(client, method, request, {waitForReady = false} = {}) {
  const metadata = new grpc.Metadata({waitForReady});
  return new Promise((resolve, reject) => {
    const deadline = new Date(Date.now() + 30_000);
    client[method](request, metadata, {deadline}, (error, reply) =>
      error ? reject(error) : resolve(reply),
    );
  });
}

/** Appends all prompts; after a lost connection it asks where to go on. */
async function append(client, name, prompts) {
  let first = 0;
  for (;;) {
    try {
      return await appendFrom(client, name, prompts, first);
    } catch (error) {
      if (!AWAY.includes(error.code)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1000));
      const {job} = await call(client, 'GetJob', {name}, {waitForReady: true});
      first = Number(job.counts.appended);
    }
  }
}

/** Appends prompts in one client stream, no faster than the coordinator takes them. */
async function appendFrom(client, name, prompts, first) {
  let stream;
  const reply = new Promise((resolve, reject) => {
    stream = client.AppendPrompts((error, response) => (error ? reject(error) : resolve(response)));
  });
  for (let offset = first; offset < prompts.length; offset += PROMPTS_PER_MESSAGE) {
    const chunk = prompts.slice(offset, offset + PROMPTS_PER_MESSAGE);
    if (!stream.write({name, offset, prompts: chunk})) {
      await Promise.race([new Promise((resolve) => stream.once('drain', resolve)), reply]);
    }
  }
  stream.end();
  return Number((await reply).next_offset);
}

/** Saves every result; after a lost connection it goes on behind the last one. */
async function fetchResults(client, name, out) {
  let cursor = '';
  let saved = 0;
  for (;;) {
    try {
      const stream = client.ReadResults({name, after_cursor: cursor, follow: true});
      for await (const response of stream) {
        saved += save(response.result, out);
        cursor = response.cursor;
      }
      return saved;
    } catch (error) {
      if (!AWAY.includes(error.code)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
}

function save(result, out) {
  if (result.outcome === 'failure') {
    console.log(`${result.custom_id} failed: ${result.failure.reason} ${result.failure.message}`);
    return 0;
  }
  const images = result.images.images;
  for (const image of images) {
    const name = result.custom_id.replace(/[^A-Za-z0-9-]/g, '_');
    const number = images.length > 1 ? `_${image.index}` : '';
    const file = path.join(out, `${name}${number}.${EXTENSIONS[image.format]}`);
    fs.writeFileSync(file, image.data);
    console.log(`${file}  ${image.width} × ${image.height}`);
  }
  return images.length;
}

async function main() {
  const [file, out, target = '127.0.0.1:7700'] = process.argv.slice(2);
  if (!out) {
    console.error('usage: node submit.js FILE.jsonl OUT_DIR [HOST:PORT]');
    return 2;
  }
  const lines = fs.readFileSync(file, 'utf8').split('\n').filter((line) => line.trim());
  const prompts = lines.map(promptOf);
  fs.mkdirSync(out, {recursive: true});

  const client = new bitloom.v1.BatchService(target, grpc.credentials.createInsecure(), {
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
  });
  try {
    const job = {display_name: path.basename(file)};
    const created = await call(client, 'CreateJob', {job, request_id: crypto.randomUUID()});
    const name = created.job.name;
    const appended = await append(client, name, prompts);
    await call(client, 'SealJob', {name, expected_prompts: appended});
    console.log(`${name}: ${appended} prompts`);

    const images = await fetchResults(client, name, out);
    const {job: ended} = await call(client, 'GetJob', {name});
    console.log(`${images} images, ${ended.state}`);
    return ended.state === 'JOB_STATE_SUCCEEDED' ? 0 : 3;
  } finally {
    client.close();
  }
}

/** Runs a program and ends with its exit code. */
function run(program) {
  program().then(
    (code) => (process.exitCode = code),
    (error) => {
      console.error(error.details || error.message);
      process.exitCode = 1;
    },
  );
}

module.exports = {AWAY, bitloom, call, grpc, run};

if (require.main === module) run(main);
