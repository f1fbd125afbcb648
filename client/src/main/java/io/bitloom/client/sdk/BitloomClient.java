package io.bitloom.client.sdk;

import com.google.protobuf.FieldMask;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.grpc.TokenSecrecy;
import io.bitloom.common.net.ServerAddress;
import io.bitloom.common.trace.Tracing;
import io.bitloom.v1.AppendPromptsResponse;
import io.bitloom.v1.CancelJobRequest;
import io.bitloom.v1.ClusterServiceGrpc;
import io.bitloom.v1.CreateJobRequest;
import io.bitloom.v1.DeleteJobRequest;
import io.bitloom.v1.EstimatePromptsResponse;
import io.bitloom.v1.FailedPrompt;
import io.bitloom.v1.GenerateRequest;
import io.bitloom.v1.GenerateResponse;
import io.bitloom.v1.GetClusterRequest;
import io.bitloom.v1.GetClusterResponse;
import io.bitloom.v1.GetJobRequest;
import io.bitloom.v1.GetLimitsRequest;
import io.bitloom.v1.GetLimitsResponse;
import io.bitloom.v1.GetPromptRequest;
import io.bitloom.v1.GetPromptResponse;
import io.bitloom.v1.Job;
import io.bitloom.v1.JobState;
import io.bitloom.v1.ListFailuresRequest;
import io.bitloom.v1.ListFailuresResponse;
import io.bitloom.v1.ListJobsRequest;
import io.bitloom.v1.ListJobsResponse;
import io.bitloom.v1.ListModelsRequest;
import io.bitloom.v1.ListPromptsRequest;
import io.bitloom.v1.ListPromptsResponse;
import io.bitloom.v1.Model;
import io.bitloom.v1.PauseJobRequest;
import io.bitloom.v1.Prompt;
import io.bitloom.v1.PromptStatus;
import io.bitloom.v1.ReadResultsRequest;
import io.bitloom.v1.ReadResultsResponse;
import io.bitloom.v1.ReplayJobRequest;
import io.bitloom.v1.ResumeJobRequest;
import io.bitloom.v1.SealJobRequest;
import io.bitloom.v1.UpdateJobRequest;
import io.bitloom.v1.WatchJobRequest;
import io.bitloom.v1.WatchJobResponse;
import io.grpc.ChannelCredentials;
import io.grpc.InsecureChannelCredentials;
import io.grpc.TlsChannelCredentials;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.LongConsumer;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * A connection to a coordinator.
 *
 * <pre>{@code
 * try (BitloomClient client = BitloomClient.builder("127.0.0.1:7700").build()) {
 *   Job job = client.createJob(Job.getDefaultInstance(), UUID.randomUUID().toString());
 *   long count = client.append(job.getName(), 0, prompts.iterator(), acknowledged -> {});
 *   client.seal(job.getName(), count);
 *   try (ResumingStream<ReadResultsResponse> results = client.followResults(job.getName(), "")) {
 *     results.forEachRemaining(this::save);
 *   }
 * }
 * }</pre>
 *
 * <p>Calls and streams survive a coordinator that goes away and comes back within the client's
 * patience. Everything that goes wrong is a {@link BitloomException}. Thread-safe.
 *
 * <p>Where OpenTelemetry's environment variables name a receiver, traces of prompts begin here.
 */
public final class BitloomClient implements AutoCloseable {

  private static final int PAGE = 200;

  private final Connection connection;
  private final Duration deadline;
  private final Tracing tracing;
  private final SubmitTraces traces;

  private BitloomClient(Builder settings) {
    tracing = settings.tracing == null ? Tracing.ofEnvironment("bitloom-client") : settings.tracing;
    traces = new SubmitTraces(tracing);
    connection =
        new Connection(
            settings.coordinator,
            settings.credentials(),
            settings.token,
            settings.firstContact,
            settings.patience,
            traces);
    deadline = settings.deadline;
  }

  /**
   * @param coordinator its address, in any form that {@link ServerAddress} understands
   * @throws io.bitloom.common.config.ConfigException if it is none
   */
  public static Builder builder(String coordinator) {
    return builder(ServerAddress.coordinator("coordinator", coordinator));
  }

  /** A client of the coordinator at an address. */
  public static Builder builder(ServerAddress coordinator) {
    return new Builder(coordinator);
  }

  /** Settings of a client. */
  public static final class Builder {

    private final ServerAddress coordinator;
    private ChannelCredentials credentials; // null until they are said
    private String token = "";
    private boolean insecure;
    private Tracing tracing; // null: as the environment says
    private Duration deadline = Duration.ofSeconds(30);
    private Duration firstContact = Duration.ofSeconds(3);
    private Duration patience = Duration.ofMinutes(5);

    private Builder(ServerAddress coordinator) {
      this.coordinator = coordinator;
    }

    /** How the connection is secured. Default: by TLS for {@code https://}, else not at all. */
    public Builder credentials(ChannelCredentials credentials) {
      this.credentials = credentials;
      return this;
    }

    /** Says to the coordinator who calls. Default: nobody in particular. */
    public Builder token(String token) {
      this.token = token;
      return this;
    }

    /**
     * Whether the token may be sent in plain text to another machine. Default: no; {@link #build}
     * refuses.
     */
    public Builder insecure(boolean insecure) {
      this.insecure = insecure;
      return this;
    }

    /** Longest time of a call that is not a stream. Default 30 s. */
    public Builder deadline(Duration deadline) {
      this.deadline = deadline;
      return this;
    }

    /** How long the first call may look for the coordinator. Default 3 s. */
    public Builder firstContact(Duration firstContact) {
      this.firstContact = firstContact;
      return this;
    }

    /** How long later calls and streams wait for a coordinator that went away. Default 5 min. */
    public Builder patience(Duration patience) {
      this.patience = patience;
      return this;
    }

    /** Where spans go. Default: as the environment says. It is closed with the client. */
    Builder tracing(Tracing tracing) {
      this.tracing = tracing;
      return this;
    }

    private ChannelCredentials credentials() {
      if (credentials != null) {
        return credentials;
      }
      return coordinator.security() == ServerAddress.Security.TLS
          ? TlsChannelCredentials.create()
          : InsecureChannelCredentials.create();
    }

    /**
     * @throws io.bitloom.common.config.ConfigException if a token would be sent in plain text to
     *     another machine, and that is not said with {@link #insecure}
     */
    public BitloomClient build() {
      if (!insecure) {
        TokenSecrecy.check(token, credentials(), List.of(coordinator));
      }
      return new BitloomClient(this);
    }
  }

  /**
   * Creates a job that accepts prompts.
   *
   * @param job model, defaults, labels and the like
   * @param requestId unique to this submission; with one that was used before, the job that it made
   */
  public Job createJob(Job job, String requestId) {
    CreateJobRequest request =
        CreateJobRequest.newBuilder().setJob(job).setRequestId(requestId).build();
    return call(s -> s.createJob(request)).getJob();
  }

  /**
   * Appends prompts. After a failure call it again with the prompts from {@code counts.appended}.
   *
   * @param job resource name
   * @param offset of the first prompt: the job's {@code counts.appended}
   * @param prompts read once, as fast as the coordinator takes them
   * @param acknowledged told now and then of the offset up to which nothing can be lost any more
   * @return the offset after the last prompt, {@link AppendPromptsResponse#getNextOffset}
   */
  public long append(String job, long offset, Iterator<Prompt> prompts, LongConsumer acknowledged) {
    PromptAppender appender =
        new PromptAppender(connection, name -> getJob(name).getCounts().getAppended(), traces);
    return appender.append(job, offset, prompts, acknowledged);
  }

  /**
   * Ends the appending.
   *
   * @param expectedPrompts number of prompts that the job must have
   */
  public Job seal(String job, long expectedPrompts) {
    SealJobRequest request =
        SealJobRequest.newBuilder().setName(job).setExpectedPrompts(expectedPrompts).build();
    return call(s -> s.sealJob(request)).getJob();
  }

  public Job getJob(String job) {
    GetJobRequest request = GetJobRequest.newBuilder().setName(job).build();
    return call(s -> s.getJob(request)).getJob();
  }

  /**
   * Lists jobs, newest first; pages are fetched as the iterator goes on.
   *
   * @param states only jobs in one of these states; empty: all
   * @param filter conditions as in {@link ListJobsRequest#getFilter}, or empty
   */
  public Iterator<Job> listJobs(List<JobState> states, String filter) {
    ListJobsRequest request =
        ListJobsRequest.newBuilder()
            .setPageSize(PAGE)
            .addAllStates(states)
            .setFilter(filter)
            .build();
    return new Pages<>(
        token -> call(s -> s.listJobs(request.toBuilder().setPageToken(token).build())),
        ListJobsResponse::getNextPageToken,
        ListJobsResponse::getJobsList);
  }

  /** Stops a job; prompts that are with a worker finish and results so far stay. */
  public Job cancel(String job) {
    CancelJobRequest request = CancelJobRequest.newBuilder().setName(job).build();
    return call(s -> s.cancelJob(request)).getJob();
  }

  /** Lets no more prompts of a job be drawn until it is resumed. */
  public Job pause(String job) {
    PauseJobRequest request = PauseJobRequest.newBuilder().setName(job).build();
    return call(s -> s.pauseJob(request)).getJob();
  }

  /** Undoes {@link #pause}. */
  public Job resume(String job) {
    ResumeJobRequest request = ResumeJobRequest.newBuilder().setName(job).build();
    return call(s -> s.resumeJob(request)).getJob();
  }

  /**
   * Gives a job another priority.
   *
   * @param priority 0 (last) to 9 (first)
   */
  public Job prioritize(String job, int priority) {
    return update(Job.newBuilder().setName(job).setPriority(priority).build(), "priority");
  }

  /**
   * Changes parts of a job.
   *
   * @param job with its name and the new values
   * @param parts which they are: {@code priority}, {@code display_name}, {@code labels}, {@code
   *     webhook_url}
   */
  public Job update(Job job, String... parts) {
    UpdateJobRequest request =
        UpdateJobRequest.newBuilder()
            .setJob(job)
            .setUpdateMask(FieldMask.newBuilder().addAllPaths(List.of(parts)))
            .build();
    return call(s -> s.updateJob(request)).getJob();
  }

  /**
   * The prompts of a job; pages are fetched as the iterator goes on.
   *
   * @param request which ones; its page size and token are of no interest
   */
  public Iterator<PromptStatus> listPrompts(ListPromptsRequest request) {
    ListPromptsRequest sized = request.toBuilder().setPageSize(PAGE).build();
    return new Pages<>(
        token -> call(s -> s.listPrompts(sized.toBuilder().setPageToken(token).build())),
        ListPromptsResponse::getNextPageToken,
        ListPromptsResponse::getPromptsList);
  }

  /** One prompt of a job, with its result and the images if it has one. */
  public GetPromptResponse getPrompt(String job, String customId) {
    GetPromptRequest request =
        GetPromptRequest.newBuilder().setName(job).setCustomId(customId).build();
    return call(s -> s.getPrompt(request));
  }

  /** Deletes a job that has ended, with its images. */
  public void delete(String job) {
    DeleteJobRequest request = DeleteJobRequest.newBuilder().setName(job).build();
    call(s -> s.deleteJob(request));
  }

  /** The prompts that failed so far; pages are fetched as the iterator goes on. */
  public Iterator<FailedPrompt> listFailures(String job) {
    ListFailuresRequest request =
        ListFailuresRequest.newBuilder().setName(job).setPageSize(PAGE).build();
    return new Pages<>(
        token -> call(s -> s.listFailures(request.toBuilder().setPageToken(token).build())),
        ListFailuresResponse::getNextPageToken,
        ListFailuresResponse::getFailuresList);
  }

  /**
   * Makes a job of the prompts of a job that failed; repeated, returns the same one.
   *
   * @param includeCancelled takes those that were cancelled or expired, too
   */
  public Job replay(String job, boolean includeCancelled) {
    ReplayJobRequest request =
        ReplayJobRequest.newBuilder().setName(job).setIncludeCancelled(includeCancelled).build();
    return call(s -> s.replayJob(request)).getJob();
  }

  /**
   * Draws one prompt before all others of the caller. It is cancelled when the stream is closed
   * before its result came, and not repeated when the connection breaks.
   */
  public ResumingStream<GenerateResponse> generate(GenerateRequest request) {
    return new ResumingStream<>(
        last -> connection.stub().generate(request), Backoff.withoutRetry(connection));
  }

  /** How much the caller may ask for. */
  public GetLimitsResponse limits() {
    return call(s -> s.getLimits(GetLimitsRequest.getDefaultInstance()));
  }

  /** What waits, and who works. */
  public GetClusterResponse cluster() {
    return call(
        s ->
            ClusterServiceGrpc.newBlockingV2Stub(s.getChannel())
                .withDeadlineAfter(deadline.toMillis(), TimeUnit.MILLISECONDS)
                .getCluster(GetClusterRequest.getDefaultInstance()));
  }

  /**
   * Checks prompts and says what drawing them would take.
   *
   * @param job model and defaults
   * @param prompts opened anew, and closed, for each attempt
   */
  public EstimatePromptsResponse estimate(Job job, Supplier<Stream<Prompt>> prompts) {
    return new PromptEstimation(connection).of(job, prompts);
  }

  /** The models that the cluster keeps. */
  public ModelClient models() {
    return new ModelClient(connection, deadline);
  }

  /** The models that can draw at this moment. */
  public List<Model> listModels() {
    return call(s -> s.listModels(ListModelsRequest.getDefaultInstance())).getModelsList();
  }

  /** The job now and after every change, until its state is terminal. */
  public ResumingStream<WatchJobResponse> watch(String job) {
    return watch(WatchJobRequest.newBuilder().setName(job).build());
  }

  /** Like {@link #watch(String)}, with the events that the request asks for. */
  public ResumingStream<WatchJobResponse> watch(WatchJobRequest request) {
    WatchJobRequest.Builder next = request.toBuilder();
    return new ResumingStream<>(
        last -> {
          if (last != null && !last.getCursor().isEmpty()) {
            next.setAfterCursor(last.getCursor());
          }
          return connection.stub().watchJob(next.build());
        },
        new Backoff(connection));
  }

  /**
   * The results there are, with their images, in the order in which they were committed.
   *
   * @param afterCursor cursor of the last result that the caller has, or empty
   */
  public ResumingStream<ReadResultsResponse> readResults(String job, String afterCursor) {
    return results(request(job, afterCursor).build());
  }

  /** Like {@link #readResults}, and waits for more until the job's state is terminal. */
  public ResumingStream<ReadResultsResponse> followResults(String job, String afterCursor) {
    return results(request(job, afterCursor).setFollow(true).build());
  }

  /**
   * Results with their images, which are fetched from S3, many at a time, if that is where they are
   * kept.
   *
   * @param afterCursor cursor of the last result that the caller has, or empty
   * @param follow whether to wait for more until the job's state is terminal
   */
  public ResultDownload downloadResults(String job, String afterCursor, boolean follow) {
    return new ResultDownload(this, request(job, afterCursor).setFollow(follow).build());
  }

  private static ReadResultsRequest.Builder request(String job, String afterCursor) {
    return ReadResultsRequest.newBuilder().setName(job).setAfterCursor(afterCursor);
  }

  /** Results as a request asks for them. */
  public ResumingStream<ReadResultsResponse> results(ReadResultsRequest request) {
    ReadResultsRequest.Builder next = request.toBuilder();
    return new ResumingStream<>(
        last -> {
          if (last != null) {
            next.setAfterCursor(last.getCursor());
          }
          return connection.stub().readResults(next.build());
        },
        new Backoff(connection));
  }

  /**
   * Why calls are waiting at this moment: the coordinator is away, or a limit is reached. Empty if
   * none waits, or if one made later was answered.
   */
  public Optional<BitloomException> outage() {
    return connection.outage();
  }

  @Override
  public void close() {
    connection.close();
    tracing.close();
  }

  private <T> T call(Connection.Call<T> call) {
    return connection.call(deadline, call);
  }
}
