package io.bitloom.coordinator.queue;

import com.google.protobuf.ByteString;
import io.bitloom.v1.JobState;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;

/** Jobs, from their creation to their deletion. See {@link JobQueue} for what all calls share. */
public interface JobStore {

  /**
   * Creates a job that accepts prompts, or finds the one that this tenant's same request id made.
   * Fails with {@code REQUEST_ID_REUSED} if that one has another spec, and with {@code
   * LIMIT_EXCEEDED} if that is more than the tenant may have.
   */
  CompletionStage<JobRecord> create(NewJob job);

  /**
   * Ends the appending; repeating it changes nothing. Fails with {@code JOB_NOT_FOUND}, with {@code
   * PROMPT_COUNT_MISMATCH}, or with {@code JOB_NOT_ACCEPTING} if the job was cancelled.
   */
  CompletionStage<JobRecord> seal(String jobId, OptionalLong expectedPrompts);

  /** Fails with {@code JOB_NOT_FOUND}. */
  CompletionStage<JobRecord> get(String jobId);

  /**
   * Jobs, newest first.
   *
   * @param pageSize at least 1
   * @param pageToken of the page before; empty: the first page. Fails with {@code INVALID_FIELD} if
   *     it is not such a token
   */
  CompletionStage<JobPage> list(JobFilter filter, int pageSize, String pageToken);

  /**
   * Cancels what no worker holds, and has coordinators told ({@link Leases#onStopped}), which take
   * back the rest; the job is terminal when all of it has an outcome. Repeating it changes nothing,
   * and neither does cancelling a terminal job. Fails with {@code JOB_NOT_FOUND}.
   */
  CompletionStage<JobRecord> cancel(String jobId);

  /**
   * Lets no more prompts of a job be drawn until it is resumed; repeating it changes nothing. Fails
   * with {@code JOB_NOT_FOUND}, or with {@code JOB_NOT_OPEN} if it ends or has ended.
   */
  CompletionStage<JobRecord> pause(String jobId);

  /** Undoes {@link #pause}; without effect on a job that is not paused. Fails as that does. */
  CompletionStage<JobRecord> resume(String jobId);

  /**
   * Gives a job another priority among those of its tenant. Fails as {@link #pause} does.
   *
   * @param priority 0 (last) to 9 (first)
   */
  CompletionStage<JobRecord> prioritize(String jobId, int priority);

  /**
   * Keeps what is changed of what a job says about itself, by the names of the parts. Fails with
   * {@code JOB_NOT_FOUND}.
   */
  CompletionStage<JobRecord> describe(String jobId, Map<String, ByteString> changes);

  /**
   * Likewise, and has somebody told what becomes of the job, from the first event on that was not
   * delivered, as if no attempt had failed.
   */
  CompletionStage<JobRecord> tellAgain(String jobId, Map<String, ByteString> changes);

  /**
   * Removes all that is kept of a terminal job, the pages of its results first. Fails with {@code
   * JOB_NOT_FOUND}, or with {@code JOB_NOT_TERMINAL}.
   *
   * @param results removes what others keep for the job; if it fails, so does this, and the job is
   *     among those {@link #toDelete} from now on
   */
  CompletionStage<Void> delete(String jobId, Function<String, CompletionStage<Void>> results);

  /** Takes a job that is gone off those {@link #toDelete}. */
  CompletionStage<Void> forget(String jobId);

  /**
   * Ended jobs that are older than this, those that nobody keeps and that ended a while ago, and
   * those whose deletion broke off; at most {@code most} of each kind.
   */
  CompletionStage<List<String>> toDelete(Duration age, int most);

  /** How many jobs have not ended, by state; if there are many, as they were swept last. */
  CompletionStage<Map<JobState, Long>> openByState();

  /** All jobs that have not ended. Reads each of them, so it is not to be asked often. */
  CompletionStage<List<JobRecord>> open();

  /**
   * Calls the listener after every change of the job, and after every time when changes may have
   * been missed. Only changes after the stage is complete are certain to be told.
   */
  CompletionStage<Subscription> onChanged(String jobId, Runnable listener);
}
