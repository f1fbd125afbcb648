package io.bitloom.coordinator.queue;

import java.time.Duration;
import java.util.Map;

/**
 * What waits in a bucket.
 *
 * @param prompts that wait for their first attempt
 * @param images that these prompts ask for
 * @param retries prompts that wait for a later attempt
 * @param leased prompts that workers hold
 * @param leases that workers hold
 * @param oldest how long the bucket's least recently served job has waited; zero if none waits
 * @param topPriority highest priority of a job that waits; -1 if none does
 * @param promptsByTenant prompts that wait for their first attempt
 * @param weightByTenant of those tenants
 */
public record BucketBacklog(
    Bucket bucket,
    long prompts,
    long images,
    long retries,
    long leased,
    long leases,
    Duration oldest,
    int topPriority,
    Map<String, Long> promptsByTenant,
    Map<String, Double> weightByTenant) {}
