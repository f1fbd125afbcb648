package io.bitloom.coordinator.queue.redis;

import com.google.protobuf.ByteString;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.coordinator.queue.JobFilter;
import io.bitloom.coordinator.queue.JobPage;
import io.bitloom.coordinator.queue.JobRecord;
import io.bitloom.coordinator.queue.JobStore;
import io.bitloom.coordinator.queue.NewJob;
import io.bitloom.coordinator.queue.ResultRecord;
import io.bitloom.coordinator.queue.Subscription;
import io.bitloom.coordinator.redis.RedisChannels;
import io.bitloom.v1.JobState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Jobs as a whole: what is asked of the job first, then told to its buckets and lists. */
public final class RedisJobs implements JobStore {

  /** More jobs than this are not looked at for one page. */
  private static final int JOBS_PER_PAGE = 2000;

  /** More active jobs than this are not counted for each who asks, but by each sweep. */
  private static final int MOST_COUNTED = 500;

  /** Whoever waited for a job that nobody keeps has read its result in less, or never will. */
  private static final Duration FLEETING_LIFE = Duration.ofMinutes(1);

  private final JobIndex index;
  private final JobScripts jobs;
  private final PartScripts partScripts;
  private final BucketScripts buckets;
  private final JobEnd jobEnd;
  private final RedisWebhooks webhooks;
  private final Upkeep upkeep;
  private final RedisChannels channels;
  private final Keys keys;
  private final int parts;

  /**
   * @param parts how many parts new jobs get
   */
  public RedisJobs(
      JobIndex index,
      JobScripts jobs,
      PartScripts partScripts,
      BucketScripts buckets,
      JobEnd jobEnd,
      RedisWebhooks webhooks,
      Upkeep upkeep,
      RedisChannels channels,
      Keys keys,
      int parts) {
    this.index = index;
    this.jobs = jobs;
    this.partScripts = partScripts;
    this.buckets = buckets;
    this.jobEnd = jobEnd;
    this.webhooks = webhooks;
    this.upkeep = upkeep;
    this.channels = channels;
    this.keys = keys;
    this.parts = parts;
  }

  @Override
  public CompletionStage<JobRecord> create(NewJob job) {
    String jobId =
        job.requestId().isEmpty() ? JobIds.random() : JobIds.of(job.tenant(), job.requestId());
    return index
        .register(jobId, job)
        .thenCompose(
            deadline -> {
              job.completionWindow().ifPresent(upkeep::deadlineIn);
              return jobs.create(jobId, job, deadline, parts);
            })
        .thenCompose(
            created ->
                created == JobScripts.Created.DIFFERS
                    ? JobErrors.failed(
                        ErrorCode.REQUEST_ID_REUSED,
                        "request_id \"" + job.requestId() + "\" was used for another job",
                        "request_id",
                        job.requestId())
                    : get(jobId).thenApply(this::passed));
  }

  /** More has become of a job, which somebody may have to be told. */
  private JobRecord passed(JobRecord job) {
    if (!job.untold().isEmpty()) {
      webhooks.passed(job.id());
    }
    return job;
  }

  /**
   * Of several parts each is sealed with the count that it had when they were counted, the first
   * one last, so that nothing is appended behind a count that was right.
   */
  @Override
  public CompletionStage<JobRecord> seal(String jobId, OptionalLong expectedPrompts) {
    return jobs.fields(jobId)
        .thenCompose(
            fields -> {
              if (fields.size() < 2) {
                return sealed(jobId, jobs.seal(jobId, text(expectedPrompts)), expectedPrompts);
              }
              long count = fields.stream().mapToLong(JobFields::appended).sum();
              if (expectedPrompts.isPresent() && expectedPrompts.getAsLong() != count) {
                return otherCount(count, expectedPrompts);
              }
              List<CompletionStage<JobScripts.Sealed>> parts =
                  sealOthers(fields.get(0).parts().others(jobId), fields);
              return Stages.all(parts)
                  .thenCompose(
                      answers ->
                          sealed(
                              jobId,
                              answers.stream()
                                  .filter(answer -> !(answer instanceof JobScripts.Done))
                                  .findFirst()
                                  .<CompletionStage<JobScripts.Sealed>>map(
                                      CompletableFuture::completedStage)
                                  .orElseGet(() -> sealPart(jobId, fields.get(0))),
                              expectedPrompts));
            });
  }

  private List<CompletionStage<JobScripts.Sealed>> sealOthers(
      List<String> partIds, List<JobFields> fields) {
    List<CompletionStage<JobScripts.Sealed>> sealed = new ArrayList<>();
    for (int k = 0; k < partIds.size(); k++) {
      sealed.add(sealPart(partIds.get(k), fields.get(k + 1)));
    }
    return sealed;
  }

  private CompletionStage<JobScripts.Sealed> sealPart(String partId, JobFields counted) {
    return jobs.seal(partId, Long.toString(counted.appended()))
        .thenCompose(
            answer ->
                jobEnd
                    .endedIf(answer instanceof JobScripts.Done done && done.terminal(), partId)
                    .thenApply(ended -> answer));
  }

  private CompletionStage<JobRecord> sealed(
      String jobId, CompletionStage<JobScripts.Sealed> sealed, OptionalLong expectedPrompts) {
    return sealed.thenCompose(
        answer -> {
          if (answer instanceof JobScripts.Done done) {
            return jobEnd
                .endedIf(done.terminal(), jobId)
                .thenCompose(ended -> get(jobId))
                .thenApply(this::passed);
          }
          return answer instanceof JobScripts.OtherCount other
              ? otherCount(other.count(), expectedPrompts)
              : JobErrors.failed(
                  JobErrors.notAccepting(jobId, ((JobScripts.NotSealable) answer).state()));
        });
  }

  private static String text(OptionalLong expected) {
    return expected.isPresent() ? Long.toString(expected.getAsLong()) : "";
  }

  private static CompletionStage<JobRecord> otherCount(long count, OptionalLong expected) {
    return JobErrors.failed(
        ErrorCode.PROMPT_COUNT_MISMATCH,
        "the job has " + count + " prompts, not " + text(expected),
        "expected_prompts",
        text(expected));
  }

  @Override
  public CompletionStage<JobRecord> get(String jobId) {
    return jobs.view(jobId)
        .thenCompose(
            found ->
                found.isPresent()
                    ? CompletableFuture.completedStage(found.get())
                    : JobErrors.failed(JobErrors.notFound(jobId)));
  }

  @Override
  public CompletionStage<JobPage> list(JobFilter filter, int pageSize, String pageToken) {
    return list(filter, pageSize, pageToken, JOBS_PER_PAGE);
  }

  private CompletionStage<JobPage> list(
      JobFilter filter, int pageSize, String pageToken, int most) {
    return index
        .list(filter.tenant(), pageToken, pageSize)
        .thenCompose(
            listed ->
                Stages.all(listed.stream().map(job -> jobs.view(job.jobId())).toList())
                    .thenCompose(
                        views -> {
                          List<JobRecord> found =
                              views.stream()
                                  .flatMap(Optional::stream)
                                  .filter(filter::matches)
                                  .toList();
                          String next =
                              listed.size() < pageSize
                                  ? ""
                                  : listed.get(listed.size() - 1).nextToken();
                          return found.isEmpty() && !next.isEmpty() && most > pageSize
                              ? list(filter, pageSize, next, most - pageSize)
                              : CompletableFuture.completedStage(new JobPage(found, next));
                        }));
  }

  @Override
  public CompletionStage<JobRecord> cancel(String jobId) {
    return jobEnd.stop(jobId, ResultRecord.Status.CANCELLED).thenCompose(stopped -> get(jobId));
  }

  @Override
  public CompletionStage<JobRecord> pause(String jobId) {
    return jobs.pause(jobId).thenCompose(adjusted -> tellBuckets(jobId, adjusted));
  }

  @Override
  public CompletionStage<JobRecord> resume(String jobId) {
    return jobs.resume(jobId).thenCompose(adjusted -> tellBuckets(jobId, adjusted));
  }

  @Override
  public CompletionStage<JobRecord> prioritize(String jobId, int priority) {
    return jobs.prioritize(jobId, priority).thenCompose(adjusted -> tellBuckets(jobId, adjusted));
  }

  @Override
  public CompletionStage<JobRecord> describe(String jobId, Map<String, ByteString> changes) {
    return jobs.describe(jobId, changes)
        .thenCompose(
            owned -> {
              owned.ifPresent(now -> upkeep.used(now.tenant(), jobId, now.use()));
              return get(jobId);
            });
  }

  /** Is on the list first, so that whatever the job says then is looked at. */
  @Override
  public CompletionStage<JobRecord> tellAgain(String jobId, Map<String, ByteString> changes) {
    return webhooks
        .expect(jobId)
        .thenCompose(done -> describe(jobId, changes))
        .thenCompose(job -> webhooks.again(jobId))
        .thenCompose(done -> get(jobId));
  }

  /** What this leaves undone when it breaks off is mended by the sweeper, or by the next lease. */
  private CompletionStage<JobRecord> tellBuckets(String jobId, JobScripts.Adjusted adjusted) {
    if (adjusted instanceof JobScripts.NotOpen closed) {
      return JobErrors.failed(JobErrors.notOpen(jobId, closed.state()));
    }
    JobScripts.Standing standing = ((JobScripts.Stands) adjusted).standing();
    return jobs.looseEnds(jobId)
        .thenCompose(
            ends -> {
              List<CompletionStage<Void>> stages = new ArrayList<>();
              stages.add(tellBuckets(jobId, ends, standing));
              ends.parts().others(jobId).forEach(partId -> stages.add(tell(partId, standing)));
              return Stages.all(stages);
            })
        .thenCompose(told -> get(jobId));
  }

  private CompletionStage<Void> tell(String partId, JobScripts.Standing standing) {
    return partScripts
        .follow(partId, standing)
        .thenCompose(told -> jobs.looseEnds(partId))
        .thenCompose(ends -> tellBuckets(partId, ends, standing));
  }

  private CompletionStage<Void> tellBuckets(
      String partId, JobScripts.LooseEnds ends, JobScripts.Standing standing) {
    return Stages.all(
            ends.lastOffsets().keySet().stream()
                .map(bucket -> buckets.reschedule(bucket, partId, standing))
                .toList())
        .thenApply(told -> null);
  }

  @Override
  public CompletionStage<Void> delete(
      String jobId, Function<String, CompletionStage<Void>> results) {
    return get(jobId)
        .thenCompose(
            job ->
                job.terminal()
                    ? index
                        .deleteNext(jobId)
                        .thenCompose(marked -> results.apply(jobId))
                        .thenCompose(done -> jobEnd.delete(jobId, job.tenant()))
                    : JobErrors.failed(JobErrors.notTerminal(jobId, job.state())));
  }

  @Override
  public CompletionStage<Map<JobState, Long>> openByState() {
    return index
        .countActive()
        .thenCompose(
            count ->
                count <= MOST_COUNTED
                    ? countByState()
                    : index
                        .states()
                        .thenCompose(
                            said ->
                                said.isEmpty()
                                    ? countByState()
                                    : CompletableFuture.completedStage(said)));
  }

  private CompletionStage<Map<JobState, Long>> countByState() {
    return index
        .activeJobs()
        .thenCompose(
            active -> Stages.all(active.stream().map(job -> jobs.stateOf(job.jobId())).toList()))
        .thenApply(
            states ->
                states.stream()
                    .flatMap(Optional::stream)
                    .collect(Collectors.groupingBy(state -> state, Collectors.counting())));
  }

  @Override
  public CompletionStage<List<JobRecord>> open() {
    return index
        .activeJobs()
        .thenCompose(
            active -> Stages.all(active.stream().map(job -> jobs.view(job.jobId())).toList()))
        .thenApply(
            views ->
                views.stream().flatMap(Optional::stream).filter(job -> !job.terminal()).toList());
  }

  @Override
  public CompletionStage<Void> forget(String jobId) {
    return index.forget(jobId);
  }

  @Override
  public CompletionStage<List<String>> toDelete(Duration age, int most) {
    return index
        .endedBefore(age, most)
        .thenCombine(
            index.fleetedBefore(FLEETING_LIFE, most),
            (ended, fleeted) ->
                Stream.of(ended, fleeted).map(JobIndex.Due::jobIds).flatMap(List::stream).toList());
  }

  @Override
  public CompletionStage<Subscription> onChanged(String jobId, Runnable listener) {
    return channels.sharded()
        ? partScripts.count(jobId).thenCompose(count -> subscribe(jobId, count, listener))
        : subscribe(jobId, listener).thenApply(unsubscribe -> unsubscribe::run);
  }

  /** Hears of every part, where each has a channel of its own. */
  private CompletionStage<Subscription> subscribe(String jobId, int count, Runnable listener) {
    List<CompletionStage<Runnable>> all = new ArrayList<>();
    for (int number = 0; number < count; number++) {
      all.add(subscribe(new JobPart(jobId, number, count).id(), listener));
    }
    Runnable end = () -> all.forEach(one -> one.thenAccept(Runnable::run));
    return Stages.all(all)
        .whenComplete(
            (done, e) -> {
              if (e != null) {
                end.run();
              }
            })
        .thenApply(done -> end::run);
  }

  private CompletionStage<Runnable> subscribe(String partId, Runnable listener) {
    return channels.subscribe(
        keys.jobChannel(partId),
        new RedisChannels.Listener() {
          @Override
          public void message(byte[] message) {
            listener.run();
          }

          @Override
          public void subscribed() {
            listener.run();
          }
        });
  }
}
