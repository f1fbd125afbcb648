package io.bitloom.coordinator.queue;

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletionStage;

/** How much waits, and whose. See {@link JobQueue} for what all calls share. */
public interface Backlog {

  /**
   * What waits in every bucket that has been used of late. For those who want to see it: it costs
   * more the more is leased.
   */
  CompletionStage<List<BucketBacklog>> buckets();

  /**
   * Asks whether this coordinator, and no other, is to tell the numbers of the cluster.
   *
   * @param lasts how long it keeps its turn without asking again
   */
  CompletionStage<Boolean> takeReportTurn(Duration lasts);

  /** Lets another coordinator have the turn. */
  CompletionStage<Void> leaveReportTurn();

  /** Who stands in line in every such bucket. Costs more the more jobs wait. */
  CompletionStage<List<BucketLine>> lines();

  /** By what these buckets compete. Costs the same however much waits. */
  CompletionStage<List<BucketRank>> ranks(Collection<Bucket> buckets);
}
