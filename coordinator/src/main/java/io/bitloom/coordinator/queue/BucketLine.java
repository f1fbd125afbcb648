package io.bitloom.coordinator.queue;

import java.util.List;

/**
 * The jobs that stand in line in a bucket.
 *
 * @param drawn whether workers hold prompts of it
 * @param places in no order
 */
public record BucketLine(Bucket bucket, boolean drawn, List<Place> places) {

  /**
   * A job's place.
   *
   * @param rank the lowest of a tenant is served next
   * @param prompts that wait for their first attempt
   * @param images that these ask for
   * @param tenantTime the tenant with the lowest is served next
   */
  public record Place(
      String jobId,
      String tenant,
      int priority,
      double rank,
      long prompts,
      long images,
      double tenantTime) {}
}
