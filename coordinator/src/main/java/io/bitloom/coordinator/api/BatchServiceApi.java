package io.bitloom.coordinator.api;

import io.bitloom.common.prompt.PromptRules;
import io.bitloom.common.results.ResultStore;
import io.bitloom.coordinator.dispatch.Arrivals;
import io.bitloom.coordinator.dispatch.ModelRegistry;
import io.bitloom.coordinator.grpc.Calls;
import io.bitloom.coordinator.jobs.JobNames;
import io.bitloom.coordinator.queue.JobFilter;
import io.bitloom.coordinator.queue.JobQueue;
import io.bitloom.coordinator.queue.JobRecord;
import io.bitloom.coordinator.queue.NewJob;
import io.bitloom.v1.AppendPromptsRequest;
import io.bitloom.v1.AppendPromptsResponse;
import io.bitloom.v1.BatchServiceGrpc;
import io.bitloom.v1.CancelJobRequest;
import io.bitloom.v1.CancelJobResponse;
import io.bitloom.v1.CreateJobRequest;
import io.bitloom.v1.CreateJobResponse;
import io.bitloom.v1.GetJobRequest;
import io.bitloom.v1.GetJobResponse;
import io.bitloom.v1.Job;
import io.bitloom.v1.ListJobsRequest;
import io.bitloom.v1.ListJobsResponse;
import io.bitloom.v1.ListModelsRequest;
import io.bitloom.v1.ListModelsResponse;
import io.bitloom.v1.Model;
import io.bitloom.v1.ReadResultsRequest;
import io.bitloom.v1.ReadResultsResponse;
import io.bitloom.v1.SealJobRequest;
import io.bitloom.v1.SealJobResponse;
import io.bitloom.v1.WatchJobRequest;
import io.bitloom.v1.WatchJobResponse;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;

/** The bulk-job API: checks requests and hands them to the queue. */
public final class BatchServiceApi extends BatchServiceGrpc.BatchServiceImplBase {

  /** Who every job belongs to as long as callers have no identity. */
  private static final String TENANT = "default";

  private static final double WEIGHT = 1;

  /** Results on their way to readers may take this part of the memory. */
  private static final int SEND_SHARE = 4;

  private static final Duration STALL_PATIENCE = Duration.ofSeconds(30);

  private final JobQueue queue;
  private final ModelRegistry models;
  private final JobRules rules;
  private final ResultReader results;
  private final SendBudget sendBudget;
  private final Arrivals arrivals;
  private final Executor blockingThreads;
  private final ScheduledExecutorService timer;

  /**
   * @param arrivals told about prompts that are on their way
   * @param blockingThreads where prompts are checked and images are read
   * @param timer where watchers are told
   */
  public BatchServiceApi(
      JobQueue queue,
      ModelRegistry models,
      ResultStore store,
      PromptRules promptRules,
      Arrivals arrivals,
      Executor blockingThreads,
      ScheduledExecutorService timer) {
    this.queue = queue;
    this.models = models;
    this.rules = new JobRules(promptRules);
    this.results = new ResultReader(store);
    this.sendBudget =
        new SendBudget(Runtime.getRuntime().maxMemory() / SEND_SHARE, STALL_PATIENCE, timer);
    this.arrivals = arrivals;
    this.blockingThreads = blockingThreads;
    this.timer = timer;
  }

  /** Bytes of results that readers have not taken from the transport. */
  public long unreadBytes() {
    return sendBudget.used();
  }

  @Override
  public void createJob(CreateJobRequest request, StreamObserver<CreateJobResponse> caller) {
    rules.check(request);
    Job job = request.getJob();
    Calls.answer(
        caller,
        models
            .resolve(job.getModel())
            .thenCompose(model -> create(job, model, request.getRequestId()))
            .thenApply(record -> CreateJobResponse.newBuilder().setJob(Jobs.of(record)).build()));
  }

  private CompletionStage<JobRecord> create(Job job, Model model, String requestId) {
    int priority = job.hasPriority() ? job.getPriority() : Jobs.DEFAULT_PRIORITY;
    Job complete = job.toBuilder().setModel(model.getName()).setPriority(priority).build();
    return queue.createJob(
        new NewJob(TENANT, requestId, WEIGHT, priority, Jobs.spec(complete), Optional.empty()));
  }

  @Override
  public StreamObserver<AppendPromptsRequest> appendPrompts(
      StreamObserver<AppendPromptsResponse> caller) {
    return new AppendCall(
        (ServerCallStreamObserver<AppendPromptsResponse>) caller,
        queue,
        models,
        rules,
        arrivals,
        blockingThreads);
  }

  @Override
  public void sealJob(SealJobRequest request, StreamObserver<SealJobResponse> caller) {
    String id = JobNames.id("name", request.getName());
    OptionalLong expected =
        request.hasExpectedPrompts()
            ? OptionalLong.of(request.getExpectedPrompts())
            : OptionalLong.empty();
    Calls.answer(
        caller,
        queue
            .seal(id, expected)
            .thenApply(record -> SealJobResponse.newBuilder().setJob(Jobs.of(record)).build()));
  }

  @Override
  public void getJob(GetJobRequest request, StreamObserver<GetJobResponse> caller) {
    String id = JobNames.id("name", request.getName());
    Calls.answer(
        caller,
        queue
            .get(id)
            .thenApply(record -> GetJobResponse.newBuilder().setJob(Jobs.of(record)).build()));
  }

  @Override
  public void listJobs(ListJobsRequest request, StreamObserver<ListJobsResponse> caller) {
    JobFilter filter = new JobFilter(Optional.of(TENANT), JobRules.states(request));
    Calls.answer(
        caller,
        queue
            .list(filter, JobRules.pageSize(request), request.getPageToken())
            .thenApply(
                page ->
                    ListJobsResponse.newBuilder()
                        .addAllJobs(page.jobs().stream().map(Jobs::of).toList())
                        .setNextPageToken(page.nextPageToken())
                        .build()));
  }

  @Override
  public void cancelJob(CancelJobRequest request, StreamObserver<CancelJobResponse> caller) {
    String id = JobNames.id("name", request.getName());
    Calls.answer(
        caller,
        queue
            .cancel(id)
            .thenApply(record -> CancelJobResponse.newBuilder().setJob(Jobs.of(record)).build()));
  }

  @Override
  public void watchJob(WatchJobRequest request, StreamObserver<WatchJobResponse> caller) {
    new JobWatch((ServerCallStreamObserver<WatchJobResponse>) caller, queue, timer, request)
        .start();
  }

  @Override
  public void readResults(ReadResultsRequest request, StreamObserver<ReadResultsResponse> caller) {
    new ResultStream(
            (ServerCallStreamObserver<ReadResultsResponse>) caller,
            queue,
            results,
            sendBudget,
            blockingThreads,
            request)
        .start();
  }

  @Override
  public void listModels(ListModelsRequest request, StreamObserver<ListModelsResponse> caller) {
    Calls.answer(
        caller,
        models.all().thenApply(all -> ListModelsResponse.newBuilder().addAllModels(all).build()));
  }
}
