package io.bitloom.coordinator.queue;

/**
 * Names one prompt.
 *
 * @param jobId without the {@code jobs/} of the resource name
 * @param offset place in the job, from 0
 */
public record TaskRef(String jobId, long offset) {}
