package io.bitloom.coordinator.queue;

import com.google.protobuf.ByteString;
import java.time.Duration;
import java.util.Optional;

/**
 * A job to be created.
 *
 * @param tenant who it belongs to
 * @param requestId unique to this submission within the tenant; empty: none
 * @param weight the tenant's share relative to others, above 0; usually 1
 * @param priority 0 (last) to 9 (first), among the jobs of the tenant
 * @param spec everything else, opaque to the queue. Two specs are the same if their bytes are, so
 *     messages with maps must be serialized deterministically
 * @param completionWindow after this time what is not drawn has expired
 * @param limits of the tenant, this job included
 * @param first prompts that will be appended at once, and that are let in together with the job
 * @param fleeting nobody keeps it after its end, and it goes soon
 * @param webhook somebody is to be told what becomes of it
 */
public record NewJob(
    String tenant,
    String requestId,
    double weight,
    int priority,
    ByteString spec,
    Optional<Duration> completionWindow,
    TenantLimits limits,
    First first,
    boolean fleeting,
    boolean webhook) {

  /**
   * Prompts to follow.
   *
   * @param bytes as {@link StoredBytes} counts them
   */
  public record First(int prompts, long bytes) {

    public static final First NONE = new First(0, 0);
  }

  /** A job that may take as long as it does, of a tenant without limit. */
  public NewJob(String tenant, String requestId, double weight, int priority, ByteString spec) {
    this(
        tenant,
        requestId,
        weight,
        priority,
        spec,
        Optional.empty(),
        TenantLimits.NONE,
        First.NONE,
        false,
        false);
  }
}
