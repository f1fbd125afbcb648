package io.bitloom.coordinator.queue;

import java.util.Map;

/**
 * By what a bucket competes for workers.
 *
 * @param topPriority highest priority of a job that waits; -1 if none does
 * @param weights of the tenants of which prompts wait for their first attempt
 */
public record BucketRank(Bucket bucket, int topPriority, Map<String, Double> weights) {}
