package io.bitloom.coordinator.dispatch.worker;

import io.bitloom.common.results.ResultStore;
import io.bitloom.coordinator.auth.WorkerRights;
import io.bitloom.coordinator.config.LeaseConfig;
import io.bitloom.coordinator.dispatch.DispatchLoop;
import io.bitloom.coordinator.dispatch.matching.Matcher;
import io.bitloom.coordinator.models.ModelRegistry;
import io.bitloom.coordinator.queue.JobQueue;
import io.bitloom.coordinator.queue.Subscription;
import io.bitloom.coordinator.telemetry.DispatchMetrics;
import io.bitloom.coordinator.tracing.PromptTraces;
import io.bitloom.v1.ConnectRequest;
import io.bitloom.v1.ConnectResponse;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/** The workers that are connected here, and what is said to all of them. */
public final class ConnectedWorkers implements AutoCloseable {

  /** So many images share a commit of the file system's journal where each file is synced. */
  private static final int STORE_THREADS = 16;

  private final DispatchLoop loop;
  private final Matcher matcher;
  private final ProgressFeed feed = new ProgressFeed();
  private final ExecutorService storeThreads;
  private final Roster roster = new Roster();
  private final SessionParts parts;
  private final Subscription onStopped;

  /**
   * @param connectionAge after which a worker is asked to connect anew; empty: never
   */
  public ConnectedWorkers(
      DispatchLoop loop,
      Matcher matcher,
      JobQueue queue,
      ModelRegistry models,
      ResultStore store,
      LeaseConfig config,
      Optional<Duration> connectionAge,
      DispatchMetrics metrics,
      PromptTraces traces) {
    this.loop = loop;
    this.matcher = matcher;
    AtomicInteger number = new AtomicInteger();
    this.storeThreads =
        Executors.newFixedThreadPool(
            STORE_THREADS, task -> new Thread(task, "store-" + number.incrementAndGet()));
    this.parts =
        new SessionParts(
            UUID.randomUUID().toString(),
            roster,
            loop,
            matcher,
            queue,
            models,
            feed,
            new ImageStorage(store),
            storeThreads,
            config,
            connectionAge,
            metrics,
            traces);
    this.onStopped = queue.leases().onStopped(jobId -> loop.execute(() -> stopped(jobId)));
    loop.every(config.heartbeatInterval(), this::renewUnread);
    loop.every(ModelRegistry.SAID_EVERY, models::sayAgain);
  }

  /**
   * A worker's stream begins.
   *
   * @param rights of the token that it came with
   */
  StreamObserver<ConnectRequest> connect(
      WorkerRights rights, ServerCallStreamObserver<ConnectResponse> stream) {
    return new WorkerSession(rights, stream, parts);
  }

  /** What workers say of the batches that they draw. */
  public ProgressFeed feed() {
    return feed;
  }

  /** Tells all workers to go elsewhere and takes no new ones. */
  public void drain() {
    loop.execute(
        () -> {
          matcher.stop();
          roster.close();
          roster.sessions().forEach(session -> session.drain(Roster.CLOSED));
        });
  }

  /** Nobody wants the prompts of this job any more. */
  private void stopped(String jobId) {
    roster.sessions().forEach(session -> session.stop(jobId));
  }

  /** Where the stream is not being read, renewals cannot wait for heartbeats. */
  private void renewUnread() {
    roster.sessions().forEach(WorkerSession::renewIfUnread);
  }

  /** The workers that are connected here, or were a moment ago. */
  public CompletionStage<List<WorkerView>> workers() {
    return loop.ask(
        () ->
            roster.sessions().stream()
                .filter(WorkerSession::welcomed)
                .map(WorkerSession::view)
                .toList());
  }

  /** How many workers are connected here. */
  public CompletionStage<Long> connectedWorkers() {
    return workers().thenApply(all -> all.stream().filter(WorkerView::connected).count());
  }

  /** Leases stay with their workers, which will name them where they go. */
  @Override
  public void close() {
    onStopped.close();
    storeThreads.shutdown();
  }
}
