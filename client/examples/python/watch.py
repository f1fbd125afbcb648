#!/usr/bin/env python3
"""Follows a job of Bitloom, prompt by prompt, until it has ended; Ctrl-C cancels it.

    python3 watch.py jobs/JOB [HOST:PORT]
"""

import sys
import time

import grpc

from submit import AWAY, api, api_grpc, jobs


class Watch:
    """Remembers the last event, so that no connection that breaks makes it miss or repeat one."""

    def __init__(self, stub, name):
        self.stub = stub
        self.name = name
        self.cursor = ""
        self.job = None

    def run(self):
        while True:
            try:
                self.follow()
                return self.job
            except grpc.RpcError as error:
                if error.code() not in AWAY:
                    raise
                time.sleep(1)
            except KeyboardInterrupt:
                self.stub.CancelJob(api.CancelJobRequest(name=self.name), timeout=30)

    def follow(self):
        request = api.WatchJobRequest(name=self.name, prompts=True, after_cursor=self.cursor)
        for response in self.stub.WatchJob(request):
            event = response.WhichOneof("event")
            if event == "job":
                self.job = response.job
            elif event == "prompt":
                self.show(response.prompt)
                self.cursor = response.cursor

    @staticmethod
    def show(prompt):
        if prompt.HasField("failure"):
            print(f"{prompt.custom_id}: {prompt.failure.reason}", flush=True)
        else:
            print(f"{prompt.custom_id}: {prompt.images} images", flush=True)


def main(name, target="127.0.0.1:7700"):
    with grpc.insecure_channel(target) as channel:
        job = Watch(api_grpc.BatchServiceStub(channel), name).run()
        print(f"{job.counts.succeeded} of {job.counts.appended}, {jobs.JobState.Name(job.state)}")
        return 0 if job.state == jobs.JOB_STATE_SUCCEEDED else 3


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: watch.py jobs/JOB [HOST:PORT]")
    try:
        sys.exit(main(*sys.argv[1:]))
    except grpc.RpcError as error:
        sys.exit(error.details())
