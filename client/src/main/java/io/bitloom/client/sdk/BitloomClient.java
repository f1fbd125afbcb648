package io.bitloom.client.sdk;

import io.bitloom.v1.AppendPromptsResponse;
import io.bitloom.v1.BatchServiceGrpc.BatchServiceBlockingV2Stub;
import io.bitloom.v1.CancelJobRequest;
import io.bitloom.v1.CreateJobRequest;
import io.bitloom.v1.GetJobRequest;
import io.bitloom.v1.Job;
import io.bitloom.v1.JobState;
import io.bitloom.v1.ListJobsRequest;
import io.bitloom.v1.ListJobsResponse;
import io.bitloom.v1.ListModelsRequest;
import io.bitloom.v1.Model;
import io.bitloom.v1.Prompt;
import io.bitloom.v1.ReadResultsRequest;
import io.bitloom.v1.ReadResultsResponse;
import io.bitloom.v1.SealJobRequest;
import io.bitloom.v1.WatchJobRequest;
import io.bitloom.v1.WatchJobResponse;
import io.grpc.ChannelCredentials;
import io.grpc.InsecureChannelCredentials;
import io.grpc.StatusException;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.function.LongConsumer;

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
 * patience. Everything that goes wrong is a {@link io.bitloom.common.error.BitloomException}.
 * Thread-safe.
 */
public final class BitloomClient implements AutoCloseable {

  private static final int PAGE = 200;

  private final Connection connection;
  private final Duration deadline;

  private BitloomClient(Builder settings) {
    connection =
        new Connection(
            settings.target, settings.credentials, settings.firstContact, settings.patience);
    deadline = settings.deadline;
  }

  /**
   * @param target the coordinator's {@code host:port} or any gRPC target
   */
  public static Builder builder(String target) {
    return new Builder(target);
  }

  /** Settings of a client. */
  public static final class Builder {

    private final String target;
    private ChannelCredentials credentials = InsecureChannelCredentials.create();
    private Duration deadline = Duration.ofSeconds(30);
    private Duration firstContact = Duration.ofSeconds(3);
    private Duration patience = Duration.ofMinutes(5);

    private Builder(String target) {
      this.target = target;
    }

    /** How the connection is secured. Default: not at all. */
    public Builder credentials(ChannelCredentials credentials) {
      this.credentials = credentials;
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

    public BitloomClient build() {
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
        new PromptAppender(connection, name -> getJob(name).getCounts().getAppended());
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
   */
  public Iterator<Job> listJobs(List<JobState> states) {
    return new Pages<>(token -> page(states, token), ListJobsResponse::getJobsList);
  }

  private Pages.Page<ListJobsResponse> page(List<JobState> states, String token) {
    ListJobsRequest request =
        ListJobsRequest.newBuilder()
            .setPageSize(PAGE)
            .setPageToken(token)
            .addAllStates(states)
            .build();
    ListJobsResponse response = call(s -> s.listJobs(request));
    return new Pages.Page<>(response, response.getNextPageToken());
  }

  /** Stops a job; prompts that are with a worker finish and results so far stay. */
  public Job cancel(String job) {
    CancelJobRequest request = CancelJobRequest.newBuilder().setName(job).build();
    return call(s -> s.cancelJob(request)).getJob();
  }

  /** The models that can draw at this moment. */
  public List<Model> listModels() {
    return call(s -> s.listModels(ListModelsRequest.getDefaultInstance())).getModelsList();
  }

  /** The job now and after every change, until its state is terminal. */
  public ResumingStream<WatchJobResponse> watch(String job) {
    WatchJobRequest request = WatchJobRequest.newBuilder().setName(job).build();
    return new ResumingStream<>(
        last -> connection.stub().watchJob(request), new Outage(connection));
  }

  /**
   * The results there are, with their images, in the order in which they were committed.
   *
   * @param afterCursor cursor of the last result that the caller has, or empty
   */
  public ResumingStream<ReadResultsResponse> readResults(String job, String afterCursor) {
    return results(job, afterCursor, false);
  }

  /** Like {@link #readResults}, and waits for more until the job's state is terminal. */
  public ResumingStream<ReadResultsResponse> followResults(String job, String afterCursor) {
    return results(job, afterCursor, true);
  }

  private ResumingStream<ReadResultsResponse> results(
      String job, String afterCursor, boolean follow) {
    ReadResultsRequest.Builder request =
        ReadResultsRequest.newBuilder().setName(job).setAfterCursor(afterCursor).setFollow(follow);
    return new ResumingStream<>(
        last -> {
          if (last != null) {
            request.setAfterCursor(last.getCursor());
          }
          return connection.stub().readResults(request.build());
        },
        new Outage(connection));
  }

  @Override
  public void close() {
    connection.close();
  }

  /** A call that is not a stream. All of them are idempotent. */
  private interface Call<T> {
    T on(BatchServiceBlockingV2Stub stub) throws StatusException;
  }

  private <T> T call(Call<T> call) {
    Outage outage = new Outage(connection);
    while (true) {
      try {
        T response = call.on(connection.stubWithDeadline(deadline));
        outage.over();
        return response;
      } catch (StatusException e) {
        outage.waitAfter(e);
      }
    }
  }
}
