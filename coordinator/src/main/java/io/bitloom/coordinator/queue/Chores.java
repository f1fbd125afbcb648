package io.bitloom.coordinator.queue;

import com.google.protobuf.ByteString;
import io.bitloom.v1.JobState;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/**
 * What one coordinator at a time does for a job, and another goes on with if that one dies: who
 * does it has a claim with an expiry, and a fencing token that ends what a claim before it can
 * still say. See {@link JobQueue} for what all calls share.
 */
public interface Chores {

  /** What is done. */
  enum Kind {
    /** The prompts of an object are checked and appended. */
    INPUT,
    /** The outcomes of a job that has ended are written to files; jobs come by themselves. */
    OUTPUT
  }

  /** Somebody does this for a job. */
  record Claim(Kind kind, String jobId, long token) {}

  /**
   * How far a chore is.
   *
   * @param state of the job
   * @param place where to go on, as it was noted last; empty: it was not begun
   * @param told what callers are told, likewise
   */
  record Progress(JobState state, String place, Optional<ByteString> told) {}

  /** Has something done for a job from now on; nothing changes if it is in hand already. */
  CompletionStage<Void> add(Kind kind, String jobId);

  /**
   * Takes on what nobody does.
   *
   * @param most jobs
   * @param lasts how long a claim holds that is not renewed
   */
  CompletionStage<List<Claim>> takeOn(Kind kind, int most, Duration lasts);

  /**
   * Renews a claim.
   *
   * @return false if it is another's
   */
  CompletionStage<Boolean> keep(Claim claim, Duration lasts);

  /** Gives a claim back, so that it can be taken on again after some time. */
  CompletionStage<Void> giveBack(Claim claim, Duration after);

  /** Nothing is left to be done. */
  CompletionStage<Void> done(Claim claim);

  /**
   * Takes over from whoever did it before: from now on nothing is noted for them.
   *
   * @return how far it is; empty if another has taken it over or the job is gone
   */
  CompletionStage<Optional<Progress>> begin(Claim claim);

  /**
   * Notes how far it is.
   *
   * @param place where to go on; empty: as before
   * @param told what callers are told, by {@link JobRecord#changes} with the kind's name in small
   *     letters
   * @return as it is then; empty if another has taken it over or the job is gone
   */
  CompletionStage<Optional<Progress>> note(Claim claim, String place, ByteString told);

  /** As {@link #note}, and the job ends as FAILED when it is cancelled. */
  CompletionStage<Optional<Progress>> refuse(Claim claim, String place, ByteString told);
}
