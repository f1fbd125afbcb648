package io.bitloom.coordinator.jobs;

import io.bitloom.coordinator.queue.JobStore;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.CompletionStage;

/** The models that jobs name which have not ended. */
public final class ModelsInUse {

  private final JobStore jobs;

  public ModelsInUse(JobStore jobs) {
    this.jobs = jobs;
  }

  /**
   * Their names as the jobs have them. Reads each of these jobs, so it is not to be asked often.
   */
  public CompletionStage<Set<String>> names() {
    return jobs.open()
        .thenApply(
            open -> {
              Set<String> named = new HashSet<>();
              open.forEach(job -> named.add(JobMessages.specOf(job).getModel()));
              return named;
            });
  }
}
