package io.bitloom.coordinator.queue;

/**
 * What all jobs of a tenant together take, as {@link TenantLimits} counts it.
 *
 * @param prompts that have no outcome
 * @param bytes in Redis
 * @param results bytes that results take
 */
public record TenantUse(long prompts, long bytes, long results) {

  public static final TenantUse NOTHING = new TenantUse(0, 0, 0);

  public TenantUse plus(long morePrompts, long moreBytes) {
    return new TenantUse(prompts + morePrompts, bytes + moreBytes, results);
  }
}
