package io.bitloom.coordinator.queue;

import io.bitloom.common.secret.Secret;

/**
 * Names one lease.
 *
 * @param token fencing token: of two leases of a bucket the later one has the larger token
 * @param secret which only the lease's worker is told: with another one this names no lease
 */
public record LeaseRef(Bucket bucket, long token, Secret secret) {

  /** The lease as text, unique in the cluster, without its secret; {@link #parse} reads it. */
  public String id() {
    return Names.escape(bucket.model()) + ":" + Names.escape(bucket.schedule()) + ":" + token;
  }

  /**
   * Reads {@link #id()}.
   *
   * @param secret that goes with it
   * @throws IllegalArgumentException if the text is not the id of a lease
   */
  public static LeaseRef parse(String id, Secret secret) {
    String[] parts = id.split(":", -1);
    if (parts.length != 3) {
      throw new IllegalArgumentException("not the id of a lease");
    }
    return new LeaseRef(
        new Bucket(Names.unescape(parts[0]), Names.unescape(parts[1])),
        Long.parseLong(parts[2]),
        secret);
  }
}
