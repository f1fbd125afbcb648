package io.bitloom.coordinator.queue.upkeep;

import io.bitloom.coordinator.queue.JobUse;
import io.bitloom.coordinator.queue.redis.JobPart;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What the parts of jobs said last that they take, to say what a job takes in all: at least that.
 * Not safe for use by several threads.
 */
final class PartUses {

  private static final int MOST_JOBS = 10_000;

  private final Map<String, Map<Integer, JobUse>> uses =
      new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Map<Integer, JobUse>> eldest) {
          return size() > MOST_JOBS;
        }
      };

  /** What a job takes, one part of which takes so much now. */
  JobUse ofJob(JobPart part, JobUse use) {
    Map<Integer, JobUse> ofJob = uses.get(part.jobId());
    if (ofJob == null) {
      if (part.number() == 0) { // perhaps the only one
        return use;
      }
      ofJob = new HashMap<>();
      uses.put(part.jobId(), ofJob);
    }
    ofJob.merge(part.number(), use, JobUse::later);
    return ofJob.values().stream().reduce(JobUse.NONE, JobUse::plus);
  }
}
