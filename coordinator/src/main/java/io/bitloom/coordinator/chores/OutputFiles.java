package io.bitloom.coordinator.chores;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.results.DirectAccess;
import io.bitloom.common.results.ResultStore;
import io.bitloom.coordinator.jobs.JobFiles;
import io.bitloom.coordinator.queue.Chores;
import io.bitloom.coordinator.queue.JobQueue;
import io.bitloom.coordinator.queue.JobRecord;
import io.bitloom.v1.Job;
import io.bitloom.v1.JobOutput;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ScheduledExecutorService;

/** Writes the files about the outcomes of jobs that have ended, some at a time. */
public final class OutputFiles implements AutoCloseable {

  private static final int AT_ONCE = 2;

  private final JobQueue queue;
  private final ResultStore store;
  private final DirectAccess access;
  private final JobFiles files;
  private final ChoreLoop loop;

  /**
   * Begins to look for jobs that have ended.
   *
   * @param store of the images
   * @param access to the same store
   * @param lasts how long a claim holds that is not renewed
   */
  public OutputFiles(
      JobQueue queue,
      ResultStore store,
      DirectAccess access,
      Duration lasts,
      ScheduledExecutorService timer) {
    this.queue = queue;
    this.store = store;
    this.access = access;
    this.files = new JobFiles(queue.results());
    this.loop =
        new ChoreLoop(queue.chores(), Chores.Kind.OUTPUT, AT_ONCE, lasts, timer, this::write);
  }

  private void write(Hold hold) {
    JobRecord job = hold.patiently(() -> queue.jobs().get(hold.jobId()), ignored -> {});
    Optional<Chores.Progress> begun =
        hold.patiently(() -> queue.chores().begin(hold.claim()), ignored -> {});
    if (begun.isEmpty()) {
      throw hold.lost();
    }
    if (!job.terminal() || begun.get().told().isPresent()) {
      return;
    }
    JobOutput output = files.write(job, access, new Waiting(hold));
    Optional<Chores.Progress> noted =
        hold.patiently(
            () ->
                queue
                    .chores()
                    .note(
                        hold.claim(),
                        "",
                        Job.newBuilder().setOutput(output).build().toByteString()),
            ignored -> {});
    if (noted.isEmpty()) {
      forgetIfDeleted(hold);
    }
  }

  /** Who deleted the job meanwhile did not see all of its files. */
  private void forgetIfDeleted(Hold hold) {
    try {
      hold.patiently(() -> queue.jobs().get(hold.jobId()), ignored -> {});
      throw hold.lost();
    } catch (BitloomException e) {
      if (e.code() != ErrorCode.JOB_NOT_FOUND) {
        throw e;
      }
      store.delete(hold.jobId());
    }
  }

  /** A file that another writes is given up. */
  private record Waiting(Hold hold) implements JobFiles.Waiting {
    @Override
    public <T> T on(CompletionStage<T> stage) throws IOException {
      hold.check();
      return Hold.join(stage);
    }
  }

  @Override
  public void close() {
    loop.close();
  }
}
