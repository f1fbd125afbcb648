package io.bitloom.coordinator.queue;

import io.bitloom.common.config.ConfigException;
import java.util.concurrent.CompletionStage;

/**
 * Jobs of millions of prompts, and the leases by which workers draw them. Whoever needs one part of
 * it holds that part alone.
 *
 * <p>No method of the parts blocks. Stages complete on a thread of the Redis connection, so whoever
 * continues there must not block either. Errors are {@link
 * io.bitloom.common.error.BitloomException}s: with {@code QUEUE_UNAVAILABLE} the call may or may
 * not have taken effect, and every call but {@link Leases#lease} can simply be repeated (what a
 * lost lease held comes back when Redis does).
 *
 * <p>A prompt has no outcome until exactly one is taken, and then has that one for good. The counts
 * of a job are changed together with its outcomes.
 */
public interface JobQueue extends AutoCloseable {

  /** Jobs as a whole. */
  JobStore jobs();

  /** Prompts that come in and wait. */
  PromptStore prompts();

  /** What prompts came to. */
  ResultLog results();

  /** By which workers draw prompts. */
  Leases leases();

  /** Where there is something to be leased. */
  ReadyBuckets ready();

  /** How much waits, and whose. */
  Backlog backlog();

  /** Of which jobs somebody is to be told. */
  WebhookQueue webhooks();

  /** What coordinators do for jobs, one at a time. */
  Chores chores();

  /** What coordinators tell one another of models. */
  ModelRecords models();

  /** What they keep of the model registry. */
  RegistryRecords registry();

  /** From now on this one, and no other, hears how long jobs take. It must not block. */
  void tellTimes(JobTimes listener);

  /** What coordinators keep of pools of workers. */
  PoolRecords pools();

  /**
   * Calls the listener when Redis has lost all its data, within some seconds: jobs are gone, and
   * what coordinators said once has to be said again.
   */
  Subscription onDataLost(Runnable listener);

  /**
   * Complete when Redis was found to have data of a version that is not known here, with the
   * reason: from then on nothing must be done with them.
   */
  CompletionStage<ConfigException> unusable();

  /** Ends timers and subscriptions of this coordinator; leases and jobs stay. */
  @Override
  void close();
}
