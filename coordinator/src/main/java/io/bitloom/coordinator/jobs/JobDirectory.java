package io.bitloom.coordinator.jobs;

import com.google.protobuf.ByteString;
import io.bitloom.coordinator.auth.Caller;
import io.bitloom.coordinator.queue.JobFilter;
import io.bitloom.coordinator.queue.JobRecord;
import io.bitloom.coordinator.queue.JobStore;
import io.bitloom.v1.Job;
import io.bitloom.v1.ListJobsRequest;
import io.bitloom.v1.ListJobsResponse;
import io.bitloom.v1.UpdateJobRequest;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;

/**
 * Jobs by their names, and what is done to a job as a whole. Jobs of other tenants are not there.
 */
public final class JobDirectory {

  private final JobStore jobs;
  private final JobAccess access;
  private final Forecast forecast;
  private final Deletion deletion;
  private final Receivers receivers;

  public JobDirectory(JobStore jobs, Forecast forecast, Deletion deletion, Receivers receivers) {
    this.jobs = jobs;
    this.access = new JobAccess(jobs);
    this.forecast = forecast;
    this.deletion = deletion;
    this.receivers = receivers;
  }

  public CompletionStage<Job> get(Caller caller, String name) {
    return access.find(caller, name).thenCompose(forecast::of);
  }

  /** A page of the caller's jobs, newest first; an operator's are those of all tenants. */
  public CompletionStage<ListJobsResponse> list(Caller caller, ListJobsRequest request) {
    JobFilter filter =
        new JobFilter(
            Optional.of(caller.tenant()).filter(tenant -> !caller.is(Caller.Role.OPERATOR)),
            JobRules.states(request),
            JobConditions.parse(request.getFilter()));
    return jobs.list(filter, JobRules.pageSize(request.getPageSize()), request.getPageToken())
        .thenCompose(
            page ->
                forecast
                    .of(page.jobs())
                    .thenApply(
                        listed ->
                            ListJobsResponse.newBuilder()
                                .addAllJobs(listed)
                                .setNextPageToken(page.nextPageToken())
                                .build()));
  }

  public CompletionStage<Job> cancel(Caller caller, String name) {
    return change(caller, name, jobs::cancel);
  }

  public CompletionStage<Job> pause(Caller caller, String name) {
    return change(caller, name, jobs::pause);
  }

  public CompletionStage<Job> resume(Caller caller, String name) {
    return change(caller, name, jobs::resume);
  }

  private CompletionStage<Job> change(
      Caller caller, String name, Function<String, CompletionStage<JobRecord>> change) {
    return access.with(caller, name, change).thenApply(JobMessages::of);
  }

  /** Another priority, display name, labels or receiver. */
  public CompletionStage<Job> update(Caller caller, UpdateJobRequest request) {
    Set<String> changes = JobRules.changes(request);
    Job job = request.getJob();
    CompletionStage<Void> checked =
        changes.contains(JobMessages.WEBHOOK_URL)
            ? access
                .find(caller, job.getName())
                .thenAccept(found -> receivers.check(found.tenant(), job.getWebhookUrl()))
            : CompletableFuture.completedStage(null);
    return checked.thenCompose(
        done -> change(caller, job.getName(), id -> update(id, job, changes)));
  }

  /** The priority first: it is what may be refused, and then nothing is changed. */
  private CompletionStage<JobRecord> update(String id, Job job, Set<String> changes) {
    CompletionStage<JobRecord> changed =
        changes.contains(JobMessages.PRIORITY)
            ? jobs.prioritize(id, job.getPriority())
            : CompletableFuture.completedStage(null);
    Map<String, ByteString> parts = new HashMap<>();
    for (String path :
        List.of(JobMessages.DISPLAY_NAME, JobMessages.LABELS, JobMessages.WEBHOOK_URL)) {
      if (changes.contains(path)) {
        parts.put(path, JobMessages.part(path, job));
      }
    }
    if (parts.isEmpty()) {
      return changed;
    }
    return parts.containsKey(JobMessages.WEBHOOK_URL)
        ? changed.thenCompose(done -> jobs.tellAgain(id, parts))
        : changed.thenCompose(done -> jobs.describe(id, parts));
  }

  /** Deletes an ended job with its images. */
  public CompletionStage<Void> delete(Caller caller, String name) {
    return access.with(caller, name, deletion::delete);
  }
}
