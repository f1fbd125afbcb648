// A whole job by gRPC-Web, with Connect's transport for browsers: node whole-job.js URL DESCRIPTORS
import { readFileSync } from "node:fs";
import { createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";

const [baseUrl, descriptors] = process.argv.slice(2);
const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(descriptors)));
const service = registry.getService("bitloom.v1.BatchService");
const transport = createGrpcWebTransport({ baseUrl });
const client = createClient(service, transport);

const { job } = await client.createJob({ job: { displayName: "from a browser" } });
const name = job.name;

// Browsers send no streams: a message is a call of its own.
const append = { ...service.method.appendPrompts, methodKind: "unary" };
for (let offset = 0; offset < 30; offset += 10) {
  const prompts = Array.from({ length: 10 }, (_, i) => ({ prompt: "fox " + (offset + i), size: "0.06M" }));
  const message = { name, offset: BigInt(offset), prompts };
  const { message: reply } = await transport.unary(append, undefined, 10000, undefined, message);
  console.log("appended", Number(reply.nextOffset));
}
await client.sealJob({ name, expectedPrompts: 30n });

let last;
for await (const { event } of client.watchJob({ name })) last = event.value;
const ended = registry.getEnum("bitloom.v1.JobState").values.find((value) => value.number === last.state);
console.log("ended", ended.name);

let images = 0;
for await (const { result } of client.readResults({ name, follow: true })) {
  for (const image of result.outcome.value.images) {
    if (image.content.value.length === Number(image.sizeBytes)) images++;
  }
}
console.log("images", images);

try {
  await client.getJob({ name: "jobs/none" });
} catch (error) {
  console.log("error", error.code, error.rawMessage, error.details.map((detail) => detail.type).join(" "));
}
