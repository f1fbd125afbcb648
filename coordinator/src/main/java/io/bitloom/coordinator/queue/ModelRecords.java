package io.bitloom.coordinator.queue;

import com.google.protobuf.ByteString;
import java.util.Map;
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

  /** Every model that was ever announced, by name. */
  CompletionStage<Map<String, ByteString>> all();

  /** Remembers how long an image takes. */
  CompletionStage<Void> putSpeed(Bucket bucket, double secondsPerImage);

  /** How many seconds an image takes, of all buckets that were ever measured. */
  CompletionStage<Map<Bucket, Double>> speeds();
}
