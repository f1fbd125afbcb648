package io.bitloom.coordinator.queue.redis;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Makes the parts of jobs that are spread over several slots, and knows how many a job has. */
public final class JobParts {

  private static final int MOST_KNOWN = 10_000;

  /** There are not as many prompts as have to be before a place. */
  private static final JobScripts.Appended GAP = new JobScripts.At(-1);

  private final JobScripts jobs;
  private final PartScripts parts;
  private final Spread spread;
  private final int usual;

  /** Jobs that have another number of parts than usual. Guarded by itself. */
  private final Map<String, Integer> known =
      new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Integer> eldest) {
          return size() > MOST_KNOWN;
        }
      };

  /**
   * @param usual how many parts new jobs get
   */
  public JobParts(JobScripts jobs, PartScripts parts, Spread spread, int usual) {
    this.jobs = jobs;
    this.parts = parts;
    this.spread = spread;
    this.usual = usual;
  }

  /** How many parts a job has, as far as is known; Redis says if it is not so. */
  int of(String jobId) {
    synchronized (known) {
      return known.getOrDefault(jobId, usual);
    }
  }

  /** Redis said how many parts a job has. */
  void learn(String jobId, int number) {
    synchronized (known) {
      if (number == usual) {
        known.remove(jobId);
      } else {
        known.put(jobId, number);
      }
    }
  }

  /**
   * Sees to it that a part of a job can be appended to, where a run begins.
   *
   * @return why it cannot; null: it can
   */
  CompletionStage<JobScripts.Appended> prepare(JobPart part, long offset) {
    return followsOn(part, offset)
        .thenCompose(
            follows ->
                !follows
                    ? missing(part)
                    : spread.inPart(offset, part.of()) == 0
                        ? make(part)
                        : CompletableFuture.completedStage(null));
  }

  /** Whether the prompt before this place is there. */
  private CompletionStage<Boolean> followsOn(JobPart part, long offset) {
    return parts
        .appended(spread.part(part.jobId(), offset - 1, part.of()))
        .thenApply(appended -> appended > spread.inPart(offset - 1, part.of()));
  }

  /** Why there is no such part of a job. */
  CompletionStage<JobScripts.Appended> missing(JobPart part) {
    return open(part, 0, terms -> CompletableFuture.completedStage(GAP));
  }

  private CompletionStage<JobScripts.Appended> make(JobPart part) {
    return open(
        part,
        0,
        terms ->
            parts
                .create(part, terms)
                .thenCompose(
                    made ->
                        open(
                            part,
                            part.number() + 1,
                            now ->
                                parts
                                    .follow(part.id(), now.terms().standing())
                                    .thenApply(told -> null))));
  }

  private interface Step {
    CompletionStage<JobScripts.Appended> on(PartScripts.PartTerms terms);
  }

  private CompletionStage<JobScripts.Appended> open(JobPart part, int counted, Step next) {
    return parts
        .open(part.jobId(), part.of(), counted)
        .thenCompose(
            opened ->
                opened instanceof PartScripts.PartTerms terms
                    ? next.on(terms)
                    : CompletableFuture.completedStage((JobScripts.Appended) opened));
  }

  /** How many prompts a job has without a gap. */
  CompletionStage<Long> count(String jobId) {
    return jobs.fields(jobId).thenApply(fields -> count(jobId, fields));
  }

  private long count(String jobId, List<JobFields> fields) {
    if (fields.isEmpty()) {
      return 0;
    }
    int all = fields.get(0).parts().number();
    if (all == 1) {
      return fields.get(0).appended();
    }
    long count = Long.MAX_VALUE;
    for (int number = 0; number < all; number++) {
      boolean there = number < fields.size() && !fields.get(number).fields().isEmpty();
      long inPart = there ? fields.get(number).appended() : 0;
      count = Math.min(count, spread.inJob(new JobPart(jobId, number, all), inPart, all));
    }
    return count;
  }
}
