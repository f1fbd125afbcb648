package io.bitloom.coordinator.queue;

/**
 * Names one lease.
 *
 * @param token fencing token: of two leases of a bucket the later one has the larger token
 */
public record LeaseRef(Bucket bucket, long token) {

  /** The lease as text, unique in the cluster; {@link #parse} reads it. */
  public String id() {
    return Names.escape(bucket.model()) + ":" + Names.escape(bucket.schedule()) + ":" + token;
  }

  /**
   * Reads {@link #id()}.
   *
   * @throws IllegalArgumentException if the text is not the id of a lease
   */
  public static LeaseRef parse(String id) {
    String[] parts = id.split(":", -1);
    if (parts.length != 3) {
      throw new IllegalArgumentException("not the id of a lease");
    }
    return new LeaseRef(
        new Bucket(Names.unescape(parts[0]), Names.unescape(parts[1])), Long.parseLong(parts[2]));
  }
}
