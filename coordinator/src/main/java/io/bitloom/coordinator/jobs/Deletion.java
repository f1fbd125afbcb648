package io.bitloom.coordinator.jobs;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.log.LogFields;
import io.bitloom.common.results.ResultStore;
import io.bitloom.coordinator.queue.JobStore;
import java.time.Duration;
import java.util.Iterator;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Deletes jobs with their images: on request, and when they have been kept for long enough. */
public final class Deletion {

  private static final Logger log = LoggerFactory.getLogger(Deletion.class);
  private static final int JOBS_AT_ONCE = 32;
  private static final Duration FOREVER = Duration.ofDays(365_000);

  private final JobStore jobs;
  private final ResultStore store;
  private final Duration retention;
  private final Executor blockingThreads;
  private final AtomicBoolean sweeping = new AtomicBoolean();

  /**
   * @param retention how long a job is kept after its end; empty: until it is deleted
   * @param blockingThreads where images are deleted
   */
  public Deletion(
      JobStore jobs, ResultStore store, Optional<Duration> retention, Executor blockingThreads) {
    this.jobs = jobs;
    this.store = store;
    this.retention = retention.orElse(FOREVER);
    this.blockingThreads = blockingThreads;
  }

  /** Deletes a terminal job; fails as {@link io.bitloom.coordinator.queue.JobStore#delete} does. */
  public CompletionStage<Void> delete(String jobId) {
    return jobs.delete(jobId, this::deleteImages)
        // A late outcome may have stored its image meanwhile; later ones find no job.
        .thenCompose(done -> deleteImages(jobId).exceptionally(e -> leftOver(jobId, e)));
  }

  private static Void leftOver(String jobId, Throwable e) {
    log.atWarn()
        .addKeyValue(LogFields.JOB, jobId)
        .log("Images of the deleted job {} may be left over: {}", jobId, e.toString());
    return null;
  }

  private CompletionStage<Void> deleteImages(String jobId) {
    return CompletableFuture.runAsync(() -> store.delete(jobId), blockingThreads);
  }

  /** Deletes the jobs that are old enough, and those whose deletion broke off. */
  public void sweep() {
    if (sweeping.compareAndSet(false, true)) {
      deleteOld()
          .whenComplete(
              (done, e) -> {
                sweeping.set(false);
                if (e != null) {
                  log.warn("Old jobs could not be deleted, trying again: {}", e.toString());
                }
              });
    }
  }

  private CompletionStage<Void> deleteOld() {
    return jobs.toDelete(retention, JOBS_AT_ONCE)
        .thenCompose(
            old ->
                deleteEach(old.iterator())
                    .thenCompose(
                        done ->
                            old.size() == JOBS_AT_ONCE
                                ? deleteOld()
                                : CompletableFuture.completedStage(null)));
  }

  private CompletionStage<Void> deleteEach(Iterator<String> jobIds) {
    if (!jobIds.hasNext()) {
      return CompletableFuture.completedStage(null);
    }
    String jobId = jobIds.next();
    return delete(jobId)
        .exceptionallyCompose(
            e -> isGone(e) ? jobs.forget(jobId) : CompletableFuture.failedStage(e))
        .thenAccept(
            done ->
                log.atInfo()
                    .addKeyValue(LogFields.JOB, jobId)
                    .log("Job {} and its images are deleted", jobId))
        .thenCompose(done -> deleteEach(jobIds));
  }

  private static boolean isGone(Throwable e) {
    Throwable cause = e instanceof CompletionException ? e.getCause() : e;
    return cause instanceof BitloomException known && known.code() == ErrorCode.JOB_NOT_FOUND;
  }
}
