package io.bitloom.coordinator.queue;

import com.google.protobuf.ByteString;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;

/**
 * What coordinators tell one another of models, also after a restart. See {@link JobQueue} for what
 * all calls share.
 */
public interface ModelRecords {

  /**
   * Remembers a model, so that it is known while no worker has it.
   *
   * @param description opaque to the queue; replaces the one before
   */
  CompletionStage<Void> put(String name, ByteString description);

  /** Likewise, unless it is known, however it is described. */
  CompletionStage<Void> putIfAbsent(String name, ByteString description);

  /** Every known model by name. */
  CompletionStage<Map<String, ByteString>> all();

  /**
   * Who has a model besides.
   *
   * @param before whether workers had it already
   * @param otherDigest that it has there, if that is another one
   */
  record Serving(boolean before, Optional<String> otherDigest) {}

  /**
   * Says that workers of a coordinator have a model, unless it is there with another digest.
   *
   * @param duration for which that is so
   */
  CompletionStage<Serving> serve(String name, String digest, String coordinator, Duration duration);

  /** Says that no worker of a coordinator has a model with this digest any more. */
  CompletionStage<Void> withdraw(String name, String digest, String coordinator);

  /**
   * Says what the workers of a coordinator can do, and hears what those of the others can.
   *
   * @param record opaque to the queue; empty if it has no workers
   * @param duration for which that is so
   * @return the records of the others
   */
  CompletionStage<List<ByteString>> attend(
      String coordinator, ByteString record, Duration duration);

  /** Models that no worker has had for so long, at whatever coordinator. */
  CompletionStage<List<String>> unseen(Duration age);

  /**
   * Forgets a model if no worker has had it for so long.
   *
   * @return whether it is gone
   */
  CompletionStage<Boolean> retract(String name, Duration age);

  /** Remembers how long an image takes. */
  CompletionStage<Void> putSpeed(Bucket bucket, double secondsPerImage);

  /** How many seconds an image takes, of all buckets of known models that were measured. */
  CompletionStage<Map<Bucket, Double>> speeds();

  /** Remembers how long an image takes that a pool of workers draws. */
  CompletionStage<Void> putSpeed(String pool, Bucket bucket, double secondsPerImage);

  /** Likewise, by pool. */
  CompletionStage<Map<String, Map<Bucket, Double>>> poolSpeeds();

  /** Remembers which models the workers of a pool have, in place of those that they had. */
  CompletionStage<Void> putPool(String pool, Collection<String> models);

  /** Which models the workers of each known pool have, or had last. */
  CompletionStage<Map<String, Set<String>>> pools();
}
