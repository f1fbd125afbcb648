package io.bitloom.coordinator.queue;

import com.google.protobuf.ByteString;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletionStage;

/**
 * What coordinators keep of the scaling of pools, so that all answer alike, also after a restart.
 * See {@link JobQueue} for what all calls share.
 */
public interface PoolRecords {

  /**
   * What is kept under an id at a time.
   *
   * @param now time of the queue
   * @param version counts up with every change; 0 if nothing is kept
   * @param record opaque to the queue; empty if nothing is kept
   */
  record Kept(Instant now, long version, ByteString record) {}

  CompletionStage<Kept> read(String id);

  /**
   * Replaces what is kept, unless somebody has done so before. Fails with {@code LIMIT_EXCEEDED} if
   * there would be too many.
   *
   * @param version of what is replaced
   * @param duration after which it is forgotten
   * @return what is kept now
   */
  CompletionStage<Kept> replace(String id, long version, ByteString record, Duration duration);

  /** What was kept in this time. */
  CompletionStage<List<ByteString>> since(Duration age);
}
