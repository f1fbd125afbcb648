package io.bitloom.coordinator.queue;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

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
      double tenantTime) {

    private Place with(Place other) {
      return new Place(
          jobId,
          tenant,
          priority,
          Math.min(rank, other.rank),
          prompts + other.prompts,
          images + other.images,
          Math.min(tenantTime, other.tenantTime));
    }
  }

  /** This shard of a bucket and another one together: a job has one place in them. */
  public BucketLine with(BucketLine other) {
    Map<String, Place> all = new LinkedHashMap<>();
    Stream.concat(places.stream(), other.places.stream())
        .forEach(place -> all.merge(place.jobId(), place, Place::with));
    return new BucketLine(bucket.whole(), drawn || other.drawn, List.copyOf(all.values()));
  }
}
