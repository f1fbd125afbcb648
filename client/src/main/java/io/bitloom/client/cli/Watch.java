package io.bitloom.client.cli;

import io.bitloom.client.sdk.BitloomClient;
import io.bitloom.client.sdk.ResumingStream;
import io.bitloom.v1.Job;
import io.bitloom.v1.JobCounts;
import io.bitloom.v1.WatchJobResponse;

/** Follows a job by its counts, without its images. */
final class Watch {

  private Watch() {}

  /** Shows a job's progress until its state is terminal; returns it as it then is. */
  static Job until(Console console, BitloomClient client, String name) {
    Job job = client.getJob(name);
    JobCounts before = job.getCounts();
    JobProgress progress =
        new JobProgress(
            console,
            "draw",
            name,
            before.getAppended(),
            JobReport.ended(before),
            before.getImagesDrawn(),
            System::nanoTime);
    try (Pulse pulse = Pulse.ofJob(client, name, progress);
        ResumingStream<WatchJobResponse> events = client.watch(name)) {
      while (events.hasNext()) {
        WatchJobResponse event = events.next();
        if (!event.hasJob()) {
          continue;
        }
        job = event.getJob();
        JobCounts counts = job.getCounts();
        progress.expect(counts.getAppended());
        progress.update(
            JobReport.ended(counts),
            counts.getFailed(),
            counts.getCancelled(),
            counts.getImagesDrawn());
      }
    }
    return job;
  }
}
