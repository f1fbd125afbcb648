package io.bitloom.coordinator.queue;

import java.util.List;
import java.util.concurrent.CompletionStage;

/** How much waits, and whose. See {@link JobQueue} for what all calls share. */
public interface Backlog {

  /** What waits in every bucket that ever had a prompt. */
  CompletionStage<List<BucketBacklog>> buckets();

  /** Who stands in line in every bucket that ever had a prompt. */
  CompletionStage<List<BucketLine>> lines();
}
