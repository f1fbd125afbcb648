package io.bitloom.coordinator.queue;

import io.bitloom.v1.JobState;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Which jobs to list.
 *
 * @param tenant only this tenant's; empty: everybody's
 * @param states only those in one of these states; empty: all
 * @param also what must hold besides
 */
public record JobFilter(Optional<String> tenant, Set<JobState> states, Predicate<JobRecord> also) {

  public JobFilter(Optional<String> tenant, Set<JobState> states) {
    this(tenant, states, job -> true);
  }

  public boolean matches(JobRecord job) {
    return (states.isEmpty() || states.contains(job.state())) && also.test(job);
  }
}
