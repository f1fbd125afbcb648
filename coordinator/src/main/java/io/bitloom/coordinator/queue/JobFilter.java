package io.bitloom.coordinator.queue;

import io.bitloom.v1.JobState;
import java.util.Optional;
import java.util.Set;

/**
 * Which jobs to list.
 *
 * @param tenant only this tenant's; empty: everybody's
 * @param states only those in one of these states; empty: all
 */
public record JobFilter(Optional<String> tenant, Set<JobState> states) {}
