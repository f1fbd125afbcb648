package io.bitloom.coordinator.queue;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/**
 * Jobs of which somebody is to be told, and who does it: a coordinator takes a job for a time, in
 * which no other does, looks what there is to tell, and says how that went. A job is here from
 * before it is created until all of it was told or given up. See {@link JobQueue} for what all
 * calls share.
 */
public interface WebhookQueue {

  /**
   * A job that was taken for a time.
   *
   * @param token tells this claim from others
   * @param listed whether the job is on the list of all
   */
  record Claim(String jobId, String token, boolean listed) {}

  /**
   * What was taken.
   *
   * @param now by the clock of Redis
   * @param next when something is due next; empty: nothing is
   */
  record Due(Instant now, Optional<Duration> next, List<Claim> claims) {}

  /** Takes jobs that are due, those that have been for longest first. */
  CompletionStage<Due> claim(int most, Duration lasts);

  /** Gives a job back, to be looked at after a time. */
  CompletionStage<Void> release(Claim claim, Duration after);

  /** Gives a job back of which there is nothing to tell until more becomes of it. */
  CompletionStage<Void> rest(Claim claim);

  /** Nothing more is to be told of a job. */
  CompletionStage<Void> drop(Claim claim);

  /**
   * Somebody was told.
   *
   * @return whether that is news
   */
  CompletionStage<Boolean> told(String jobId, Milestone milestone);

  /**
   * How an attempt failed.
   *
   * @param before failed attempts that are noted
   * @param tries failed attempts of this event with this one
   * @param again after which time to try again; empty: not any more
   * @param why for people, short
   * @param givenUp what is not tried any more
   * @param unwanted whether the receiver wants no more
   */
  record Failure(
      int before,
      int tries,
      Optional<Duration> again,
      String why,
      List<Milestone> givenUp,
      boolean unwanted) {}

  /**
   * Somebody was not told, unless another attempt has had its end meanwhile.
   *
   * @return whether it was noted
   */
  CompletionStage<Boolean> failed(String jobId, Milestone milestone, Failure failure);

  /** Calls the listener whenever jobs may be due. */
  Subscription onDue(Runnable listener);
}
