package io.bitloom.coordinator.dispatch.worker;

import java.time.Instant;
import java.util.List;

/**
 * A worker as people see it.
 *
 * @param connected false: its stream broke and its leases wait for it
 * @param imagesDone since it connected
 */
public record WorkerView(
    String id,
    String version,
    String device,
    String pool,
    List<String> models,
    boolean connected,
    Instant since,
    long imagesDone,
    List<LeaseView> leases) {

  /**
   * A batch that a worker holds.
   *
   * @param prompts that have no outcome yet
   * @param scalesDone of {@code scales}, both 0 as long as the worker has not said
   */
  public record LeaseView(String model, String schedule, int prompts, int scalesDone, int scales) {

    static LeaseView of(OpenLease lease) {
      return new LeaseView(
          lease.ref().bucket().model(),
          lease.ref().bucket().schedule(),
          lease.openTasks().size(),
          lease.scalesDone(),
          lease.scales());
    }
  }
}
