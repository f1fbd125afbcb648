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
    Bucket.Shard shard = bucket.shard();
    return Names.escape(bucket.model())
        + ":"
        + Names.escape(bucket.schedule())
        + ":"
        + (shard.of() == 1 ? "" : shard.number() + ":" + shard.of() + ":")
        + token;
  }

  /**
   * Reads {@link #id()}.
   *
   * @param secret that goes with it
   * @throws IllegalArgumentException if the text is not the id of a lease
   */
  public static LeaseRef parse(String id, Secret secret) {
    String[] parts = id.split(":", -1);
    if (parts.length != 3 && parts.length != 5) {
      throw new IllegalArgumentException("not the id of a lease");
    }
    Bucket.Shard shard =
        parts.length == 3
            ? Bucket.Shard.ALL
            : new Bucket.Shard(Integer.parseInt(parts[2]), Integer.parseInt(parts[3]));
    return new LeaseRef(
        new Bucket(Names.unescape(parts[0]), Names.unescape(parts[1]), shard),
        Long.parseLong(parts[parts.length - 1]),
        secret);
  }
}
