#!/usr/bin/env python3
"""Submits a JSONL file of prompts to Bitloom and saves the images, with nothing but the proto files.

    python3 submit.py FILE.jsonl OUT_DIR [HOST:PORT]
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

import grpc

PROTOS = Path(__file__).resolve().parents[3] / "proto/src/main/proto"
PROMPTS_PER_MESSAGE = 256
MAX_MESSAGE_BYTES = 64 << 20
EXTENSIONS = {1: "png", 2: "jpg", 3: "webp", 4: "webp"}
# A stream that something on the way reset is cancelled, though not by us.
AWAY = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)


def compile_protos():
    """Compiles the proto files into a temporary folder and returns the modules."""
    folder = tempfile.mkdtemp(prefix="bitloom-protos-")
    arguments = [f"-I{PROTOS}", f"--python_out={folder}", f"--grpc_python_out={folder}"]
    files = sorted(str(path) for path in PROTOS.glob("bitloom/v1/*.proto"))
    if shutil.which("protoc") and shutil.which("grpc_python_plugin"):  # Debian's packages
        plugin = f"--plugin=protoc-gen-grpc_python={shutil.which('grpc_python_plugin')}"
        subprocess.run(["protoc", plugin, *arguments, *files], check=True)
    else:  # pip install grpcio-tools
        module = [sys.executable, "-m", "grpc_tools.protoc"]
        subprocess.run([*module, *arguments, *files], check=True)
    sys.path.insert(0, folder)
    from bitloom.v1 import batch_service_pb2, batch_service_pb2_grpc, job_pb2, prompt_pb2

    shutil.rmtree(folder)
    return batch_service_pb2, batch_service_pb2_grpc, job_pb2, prompt_pb2


api, api_grpc, jobs, prompts = compile_protos()


def prompt_of(line):
    """A line of the file as a Prompt message: sampling has a message of its own there."""
    fields = json.loads(line)
    sampling = prompts.Sampling(
        preset=enum("SAMPLING_PRESET", fields.pop("preset", "unspecified")),
        guidance=as_list(fields.pop("guidance", [])),
        guidance_schedule=enum("GUIDANCE_SCHEDULE", fields.pop("guidance_schedule", "unspecified")),
        guidance_layers=as_list(fields.pop("guidance_layers", [])),
        temperature=as_list(fields.pop("temperature", [])),
        top_p=fields.pop("top_p", None),
        top_k=fields.pop("top_k", None),
        greedy=fields.pop("greedy", False),
    )
    if "format" in fields:
        fields["format"] = enum("IMAGE_FORMAT", fields["format"])
    return prompts.Prompt(sampling=sampling, **fields)


def enum(prefix, name):
    """The constant of a name in a file: webp-lossless is IMAGE_FORMAT_WEBP_LOSSLESS."""
    return f"{prefix}_{name.upper().replace('-', '_')}"


def as_list(value):
    return value if isinstance(value, list) else [value]


def append(stub, name, all_prompts):
    """Appends all prompts in one client stream; after a lost connection it asks where to go on."""
    first = 0
    while True:
        try:
            return stub.AppendPrompts(append_requests(name, all_prompts, first)).next_offset
        except grpc.RpcError as error:
            if error.code() not in AWAY:
                raise
        request = api.GetJobRequest(name=name)
        first = stub.GetJob(request, timeout=60, wait_for_ready=True).job.counts.appended


def append_requests(name, all_prompts, first):
    """The messages of one client stream; grpc takes them as fast as the coordinator does."""
    for offset in range(first, len(all_prompts), PROMPTS_PER_MESSAGE):
        chunk = all_prompts[offset : offset + PROMPTS_PER_MESSAGE]
        yield api.AppendPromptsRequest(name=name, offset=offset, prompts=chunk)


def fetch_results(stub, name, out):
    """Saves every result; after a lost connection it goes on behind the last one."""
    cursor = ""
    saved = 0
    while True:
        request = api.ReadResultsRequest(name=name, after_cursor=cursor, follow=True)
        try:
            for response in stub.ReadResults(request):
                saved += save(response.result, out)
                cursor = response.cursor
            return saved
        except grpc.RpcError as error:
            if error.code() not in AWAY:
                raise
            time.sleep(1)


def save(result, out):
    if result.WhichOneof("outcome") == "failure":
        print(f"{result.custom_id} failed: {result.failure.reason} {result.failure.message}")
        return 0
    images = result.images.images
    for image in images:
        name = re.sub(r"[^A-Za-z0-9-]", "_", result.custom_id)
        number = f"_{image.index}" if len(images) > 1 else ""
        file = out / f"{name}{number}.{EXTENSIONS[image.format]}"
        file.write_bytes(image.data)
        print(f"{file}  {image.width} × {image.height}")
    return len(images)


def main(file, out, target="127.0.0.1:7700"):
    lines = Path(file).read_text(encoding="utf-8").splitlines()
    all_prompts = [prompt_of(line) for line in lines if line.strip()]
    Path(out).mkdir(parents=True, exist_ok=True)
    options = [("grpc.max_receive_message_length", MAX_MESSAGE_BYTES)]
    with grpc.insecure_channel(target, options=options) as channel:
        stub = api_grpc.BatchServiceStub(channel)
        job = jobs.Job(display_name=Path(file).name)
        request = api.CreateJobRequest(job=job, request_id=str(uuid.uuid4()))
        name = stub.CreateJob(request, timeout=30).job.name
        appended = append(stub, name, all_prompts)
        stub.SealJob(api.SealJobRequest(name=name, expected_prompts=appended), timeout=30)
        print(f"{name}: {appended} prompts")

        images = fetch_results(stub, name, Path(out))
        ended = stub.GetJob(api.GetJobRequest(name=name), timeout=30).job
        print(f"{images} images, {jobs.JobState.Name(ended.state)}")
        return 0 if ended.state == jobs.JOB_STATE_SUCCEEDED else 3


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit("usage: submit.py FILE.jsonl OUT_DIR [HOST:PORT]")
    try:
        sys.exit(main(*sys.argv[1:]))
    except grpc.RpcError as error:
        sys.exit(error.details())
