package io.bitloom.coordinator.api;

import com.google.protobuf.ByteString;
import io.bitloom.common.results.ResultStore;
import io.bitloom.coordinator.auth.Caller;
import io.bitloom.coordinator.config.LimitsConfig;
import io.bitloom.coordinator.dispatch.matching.Arrivals;
import io.bitloom.coordinator.dispatch.matching.Speeds;
import io.bitloom.coordinator.dispatch.worker.ProgressFeed;
import io.bitloom.coordinator.grpc.Calls;
import io.bitloom.coordinator.jobs.Deletion;
import io.bitloom.coordinator.models.ModelRegistry;
import io.bitloom.coordinator.queue.JobFilter;
import io.bitloom.coordinator.queue.JobQueue;
import io.bitloom.coordinator.queue.JobRecord;
import io.bitloom.coordinator.queue.NewJob;
import io.bitloom.coordinator.queue.ResultRecord;
import io.bitloom.v1.AppendPromptsRequest;
import io.bitloom.v1.AppendPromptsResponse;
import io.bitloom.v1.BatchServiceGrpc;
import io.bitloom.v1.CancelJobRequest;
import io.bitloom.v1.CancelJobResponse;
import io.bitloom.v1.CreateJobRequest;
import io.bitloom.v1.CreateJobResponse;
import io.bitloom.v1.DeleteJobRequest;
import io.bitloom.v1.DeleteJobResponse;
import io.bitloom.v1.EstimatePromptsRequest;
import io.bitloom.v1.EstimatePromptsResponse;
import io.bitloom.v1.GenerateRequest;
import io.bitloom.v1.GenerateResponse;
import io.bitloom.v1.GetJobRequest;
import io.bitloom.v1.GetJobResponse;
import io.bitloom.v1.GetLimitsRequest;
import io.bitloom.v1.GetLimitsResponse;
import io.bitloom.v1.GetPromptRequest;
import io.bitloom.v1.GetPromptResponse;
import io.bitloom.v1.Job;
import io.bitloom.v1.ListFailuresRequest;
import io.bitloom.v1.ListFailuresResponse;
import io.bitloom.v1.ListJobsRequest;
import io.bitloom.v1.ListJobsResponse;
import io.bitloom.v1.ListModelsRequest;
import io.bitloom.v1.ListModelsResponse;
import io.bitloom.v1.ListPromptsRequest;
import io.bitloom.v1.ListPromptsResponse;
import io.bitloom.v1.Model;
import io.bitloom.v1.PauseJobRequest;
import io.bitloom.v1.PauseJobResponse;
import io.bitloom.v1.PromptResult;
import io.bitloom.v1.ReadResultsRequest;
import io.bitloom.v1.ReadResultsResponse;
import io.bitloom.v1.ReplayJobRequest;
import io.bitloom.v1.ReplayJobResponse;
import io.bitloom.v1.ResumeJobRequest;
import io.bitloom.v1.ResumeJobResponse;
import io.bitloom.v1.SealJobRequest;
import io.bitloom.v1.SealJobResponse;
import io.bitloom.v1.UpdateJobRequest;
import io.bitloom.v1.UpdateJobResponse;
import io.bitloom.v1.WatchJobRequest;
import io.bitloom.v1.WatchJobResponse;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;

/** The bulk-job API: checks requests and hands them to the queue. */
public final class BatchServiceApi extends BatchServiceGrpc.BatchServiceImplBase {

  /** Results on their way to readers may take this part of the memory. */
  private static final int SEND_SHARE = 4;

  private static final Duration STALL_PATIENCE = Duration.ofSeconds(30);

  private static final int PROMPTS_PER_PAGE = 100;

  private final JobQueue queue;
  private final JobAccess jobs;
  private final ModelRegistry models;
  private final JobRules rules;
  private final Quotas quotas;
  private final Deletion deletion;
  private final Replay replay;
  private final Prompts prompts;
  private final Outlook outlook;
  private final Speeds speeds;
  private final ProgressFeed feed;
  private final ResultReader results;
  private final SendBudget sendBudget;
  private final Arrivals arrivals;
  private final Executor blockingThreads;
  private final ScheduledExecutorService timer;

  /**
   * @param limits of prompts; those of tenants come with their calls
   * @param arrivals told about prompts that are on their way
   * @param blockingThreads where prompts are checked and images are read
   * @param timer where watchers are told
   */
  public BatchServiceApi(
      JobQueue queue,
      ModelRegistry models,
      ResultStore store,
      LimitsConfig limits,
      Arrivals arrivals,
      ProgressFeed feed,
      Speeds speeds,
      Deletion deletion,
      Executor blockingThreads,
      ScheduledExecutorService timer) {
    this.queue = queue;
    this.models = models;
    this.jobs = new JobAccess(queue);
    this.rules = new JobRules(limits);
    this.quotas = new Quotas(queue);
    this.deletion = deletion;
    this.replay = new Replay(queue);
    this.prompts = new Prompts(queue);
    this.outlook = new Outlook(queue, speeds, models);
    this.speeds = speeds;
    this.feed = feed;
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
    Caller owner = Caller.current();
    Calls.answer(
        caller,
        models
            .resolve(job.getModel())
            .thenCompose(model -> create(job, model, request.getRequestId(), owner))
            .thenApply(record -> CreateJobResponse.newBuilder().setJob(Jobs.of(record)).build()));
  }

  private CompletionStage<JobRecord> create(Job job, Model model, String requestId, Caller owner) {
    int priority = job.hasPriority() ? job.getPriority() : Jobs.DEFAULT_PRIORITY;
    Job complete =
        job.toBuilder()
            .setModel(model.getName())
            .setPriority(priority)
            .setRequestId(requestId)
            .build();
    return queue
        .jobs()
        .create(
            new NewJob(
                owner.tenant(),
                requestId,
                owner.weight(),
                priority,
                Jobs.spec(complete),
                Jobs.completionWindow(job),
                owner.limits().openJobs()));
  }

  @Override
  public StreamObserver<AppendPromptsRequest> appendPrompts(
      StreamObserver<AppendPromptsResponse> caller) {
    return new AppendCall(
        (ServerCallStreamObserver<AppendPromptsResponse>) caller,
        queue,
        jobs,
        quotas,
        models,
        rules,
        arrivals,
        blockingThreads);
  }

  @Override
  public void sealJob(SealJobRequest request, StreamObserver<SealJobResponse> caller) {
    OptionalLong expected =
        request.hasExpectedPrompts()
            ? OptionalLong.of(request.getExpectedPrompts())
            : OptionalLong.empty();
    Calls.answer(
        caller,
        jobs.with(request.getName(), id -> queue.jobs().seal(id, expected))
            .thenApply(record -> SealJobResponse.newBuilder().setJob(Jobs.of(record)).build()));
  }

  @Override
  public void getJob(GetJobRequest request, StreamObserver<GetJobResponse> caller) {
    Calls.answer(
        caller,
        jobs.find(Caller.current(), request.getName())
            .thenCompose(outlook::of)
            .thenApply(job -> GetJobResponse.newBuilder().setJob(job).build()));
  }

  @Override
  public void listJobs(ListJobsRequest request, StreamObserver<ListJobsResponse> caller) {
    Caller asking = Caller.current();
    JobFilter filter =
        new JobFilter(
            Optional.of(asking.tenant()).filter(tenant -> !asking.is(Caller.Role.OPERATOR)),
            JobRules.states(request),
            JobConditions.parse(request.getFilter()));
    Calls.answer(
        caller,
        queue
            .jobs()
            .list(filter, JobRules.pageSize(request.getPageSize()), request.getPageToken())
            .thenCompose(
                page ->
                    outlook
                        .of(page.jobs())
                        .thenApply(
                            listed ->
                                ListJobsResponse.newBuilder()
                                    .addAllJobs(listed)
                                    .setNextPageToken(page.nextPageToken())
                                    .build())));
  }

  @Override
  public void cancelJob(CancelJobRequest request, StreamObserver<CancelJobResponse> caller) {
    Calls.answer(
        caller,
        jobs.with(request.getName(), queue.jobs()::cancel)
            .thenApply(record -> CancelJobResponse.newBuilder().setJob(Jobs.of(record)).build()));
  }

  @Override
  public void pauseJob(PauseJobRequest request, StreamObserver<PauseJobResponse> caller) {
    Calls.answer(
        caller,
        jobs.with(request.getName(), queue.jobs()::pause)
            .thenApply(record -> PauseJobResponse.newBuilder().setJob(Jobs.of(record)).build()));
  }

  @Override
  public void resumeJob(ResumeJobRequest request, StreamObserver<ResumeJobResponse> caller) {
    Calls.answer(
        caller,
        jobs.with(request.getName(), queue.jobs()::resume)
            .thenApply(record -> ResumeJobResponse.newBuilder().setJob(Jobs.of(record)).build()));
  }

  @Override
  public void updateJob(UpdateJobRequest request, StreamObserver<UpdateJobResponse> caller) {
    Set<String> changes = JobRules.changes(request);
    Calls.answer(
        caller,
        jobs.with(request.getJob().getName(), id -> change(id, request.getJob(), changes))
            .thenApply(record -> UpdateJobResponse.newBuilder().setJob(Jobs.of(record)).build()));
  }

  /** The priority first: it is what may be refused, and then nothing is changed. */
  private CompletionStage<JobRecord> change(String id, Job job, Set<String> changes) {
    CompletionStage<JobRecord> changed =
        changes.contains(Jobs.PRIORITY)
            ? queue.jobs().prioritize(id, job.getPriority())
            : CompletableFuture.completedStage(null);
    Map<String, ByteString> parts = new HashMap<>();
    for (String path : List.of(Jobs.DISPLAY_NAME, Jobs.LABELS)) {
      if (changes.contains(path)) {
        parts.put(path, Jobs.part(path, job));
      }
    }
    return parts.isEmpty()
        ? changed
        : changed.thenCompose(done -> queue.jobs().describe(id, parts));
  }

  @Override
  public void deleteJob(DeleteJobRequest request, StreamObserver<DeleteJobResponse> caller) {
    Calls.answer(
        caller,
        jobs.with(request.getName(), deletion::delete)
            .thenApply(done -> DeleteJobResponse.getDefaultInstance()));
  }

  @Override
  public void replayJob(ReplayJobRequest request, StreamObserver<ReplayJobResponse> caller) {
    Caller owner = Caller.current();
    Calls.answer(
        caller,
        jobs.find(owner, request.getName())
            .thenCompose(job -> replay.of(job, request.getIncludeCancelled(), owner))
            .thenApply(record -> ReplayJobResponse.newBuilder().setJob(Jobs.of(record)).build()));
  }

  private static int promptsPerPage(int asked) {
    return asked == 0 ? PROMPTS_PER_PAGE : JobRules.pageSize(asked);
  }

  @Override
  public void listPrompts(ListPromptsRequest request, StreamObserver<ListPromptsResponse> caller) {
    PromptConditions conditions = PromptConditions.of(request);
    int size = promptsPerPage(request.getPageSize());
    Calls.answer(
        caller,
        jobs.with(
            request.getName(), id -> prompts.list(id, conditions, size, request.getPageToken())));
  }

  @Override
  public void getPrompt(GetPromptRequest request, StreamObserver<GetPromptResponse> caller) {
    new GetPromptCall(
            (ServerCallStreamObserver<GetPromptResponse>) caller,
            prompts,
            results,
            sendBudget,
            blockingThreads,
            request)
        .start(jobs);
  }

  @Override
  public void listFailures(
      ListFailuresRequest request, StreamObserver<ListFailuresResponse> caller) {
    int size = promptsPerPage(request.getPageSize());
    Calls.answer(
        caller,
        jobs.with(
            request.getName(),
            id -> {
              long from = ResultCursor.place("page_token", id, request.getPageToken());
              return queue
                  .results()
                  .failures(id, from, size)
                  .thenApply(failures -> page(id, from, failures));
            }));
  }

  private static ListFailuresResponse page(String id, long from, List<ResultRecord> failures) {
    ListFailuresResponse.Builder page = ListFailuresResponse.newBuilder();
    for (ResultRecord record : failures) {
      PromptResult result = ResultReader.describe(id, record).getResult();
      page.addFailuresBuilder()
          .setOffset(result.getOffset())
          .setCustomId(result.getCustomId())
          .setFailure(result.getFailure());
    }
    if (!failures.isEmpty()) {
      page.setNextPageToken(ResultCursor.of(id, from + failures.size()));
    }
    return page.build();
  }

  @Override
  public void watchJob(WatchJobRequest request, StreamObserver<WatchJobResponse> caller) {
    new JobWatch(
            (ServerCallStreamObserver<WatchJobResponse>) caller,
            queue,
            jobs,
            outlook,
            feed,
            timer,
            request)
        .start();
  }

  @Override
  public void readResults(ReadResultsRequest request, StreamObserver<ReadResultsResponse> caller) {
    new ResultStream(
            (ServerCallStreamObserver<ReadResultsResponse>) caller,
            queue,
            jobs,
            results,
            sendBudget,
            blockingThreads,
            request)
        .start();
  }

  @Override
  public void generate(GenerateRequest request, StreamObserver<GenerateResponse> caller) {
    Caller owner = Caller.current();
    new Generation(
            (ServerCallStreamObserver<GenerateResponse>) caller,
            queue,
            results,
            sendBudget,
            feed,
            deletion,
            blockingThreads,
            timer,
            request)
        .start(
            models
                .resolve(request.getModel())
                .thenApply(model -> Generation.order(request.getPrompt(), model, rules, owner)));
  }

  @Override
  public StreamObserver<EstimatePromptsRequest> estimatePrompts(
      StreamObserver<EstimatePromptsResponse> caller) {
    return new EstimateCall(
        (ServerCallStreamObserver<EstimatePromptsResponse>) caller,
        models,
        speeds,
        rules,
        blockingThreads);
  }

  @Override
  public void getLimits(GetLimitsRequest request, StreamObserver<GetLimitsResponse> caller) {
    caller.onNext(rules.limitsOf(Caller.current()));
    caller.onCompleted();
  }

  @Override
  public void listModels(ListModelsRequest request, StreamObserver<ListModelsResponse> caller) {
    Calls.answer(
        caller,
        models.all().thenApply(all -> ListModelsResponse.newBuilder().addAllModels(all).build()));
  }
}
