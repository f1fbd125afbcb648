package io.bitloom.coordinator.queue.upkeep;

import io.bitloom.coordinator.queue.JobUse;
import io.bitloom.coordinator.queue.redis.JobIndex;
import io.bitloom.coordinator.queue.redis.JobPart;
import java.time.Duration;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes into the ledger what jobs say that they take: once for all that a job said in a while, and
 * many jobs of a tenant together. What is lost on the way, because a coordinator dies, the next
 * sweep or the end of the job brings.
 */
final class Bookkeeper {

  private static final Logger LOG = LoggerFactory.getLogger(Bookkeeper.class);
  private static final Duration PAUSE = Duration.ofMillis(250);
  private static final int JOBS_PER_CALL = 500;

  private final JobIndex index;
  private final Timers timers;

  // Guarded by this.
  private Map<String, Map<String, JobUse>> heard = new HashMap<>();
  private final PartUses parts = new PartUses();

  Bookkeeper(JobIndex index, Timers timers) {
    this.index = index;
    this.timers = timers;
  }

  /** A job of this tenant, or a part of one, takes so much. */
  synchronized void used(String tenant, String partId, JobUse use) {
    JobPart part = JobPart.parse(partId);
    usedByJob(tenant, part.jobId(), parts.ofJob(part, use));
  }

  private synchronized void usedByJob(String tenant, String jobId, JobUse use) {
    if (heard.isEmpty()) {
      timers.in(PAUSE, this::book);
    }
    heard.computeIfAbsent(tenant, t -> new HashMap<>()).merge(jobId, use, JobUse::later);
  }

  private void book() {
    Map<String, Map<String, JobUse>> now;
    synchronized (this) {
      now = heard;
      heard = new HashMap<>();
    }
    now.forEach(this::book);
  }

  private void book(String tenant, Map<String, JobUse> jobs) {
    Iterator<Map.Entry<String, JobUse>> left = jobs.entrySet().iterator();
    while (left.hasNext()) {
      Map<String, JobUse> some = new HashMap<>();
      while (left.hasNext() && some.size() < JOBS_PER_CALL) {
        Map.Entry<String, JobUse> job = left.next();
        some.put(job.getKey(), job.getValue());
      }
      index
          .book(tenant, some)
          .whenComplete(
              (done, e) -> {
                if (e != null) {
                  LOG.debug("what {} takes is noted later: {}", tenant, e.toString());
                  some.forEach((jobId, use) -> usedByJob(tenant, jobId, use));
                }
              });
    }
  }
}
