package io.bitloom.coordinator.dispatch.worker;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.resilience.Patience;
import io.bitloom.common.results.ResultStore;
import io.bitloom.coordinator.config.LeaseConfig;
import io.bitloom.coordinator.dispatch.matching.Arrivals;
import io.bitloom.coordinator.dispatch.matching.BatchFormer;
import io.bitloom.coordinator.dispatch.matching.Shares;
import io.bitloom.coordinator.dispatch.matching.Speeds;
import io.bitloom.coordinator.models.ModelRegistry;
import io.bitloom.coordinator.models.WorkerProfile;
import io.bitloom.coordinator.queue.Bucket;
import io.bitloom.coordinator.queue.BucketBacklog;
import io.bitloom.coordinator.queue.JobQueue;
import io.bitloom.coordinator.queue.LeaseRef;
import io.bitloom.coordinator.queue.LeasedBatch;
import io.bitloom.coordinator.queue.Subscription;
import io.bitloom.coordinator.queue.TaskRef;
import io.bitloom.coordinator.telemetry.DispatchMetrics;
import io.bitloom.v1.HeldLease;
import java.time.Duration;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings together what waits in the queue and the workers that ask for it, and knows who holds
 * what. One thread, the dispatch loop, has all state; it never blocks.
 */
public final class Dispatcher implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(Dispatcher.class);
  private static final Duration AGEING = Duration.ofMinutes(1);
  private static final Duration RANK_AGAIN = Duration.ofMillis(500);
  private static final Duration RETRY_LEASE = Duration.ofMillis(500);
  private static final int STORE_THREADS = 4;

  private final String coordinatorId;
  private final JobQueue queue;
  private final ModelRegistry models;
  private final ImageIntake images;
  private final LeaseConfig config;
  private final DispatchMetrics metrics;
  private final Speeds speeds;
  private final ProgressFeed feed = new ProgressFeed();
  private final ScheduledThreadPoolExecutor loop;
  private final ExecutorService storeThreads;
  private final Subscription onReady;
  private final Subscription onStopped;

  private final BatchFormer former;
  private final Map<String, WorkerSession> sessions = new LinkedHashMap<>();
  private Future<?> nextMatch = CompletableFuture.completedFuture(null);
  private Shares shares = Shares.UNKNOWN;
  private boolean ranking;
  private long rankedAt;
  private boolean stopping;

  /**
   * @param coordinatorId told to workers, for their logs
   * @param maxBatchDelay how long a batch that is not full waits for more prompts
   */
  public Dispatcher(
      String coordinatorId,
      JobQueue queue,
      ModelRegistry models,
      ResultStore store,
      LeaseConfig config,
      Duration maxBatchDelay,
      Arrivals arrivals,
      Speeds speeds,
      DispatchMetrics metrics) {
    this.coordinatorId = coordinatorId;
    this.queue = queue;
    this.models = models;
    this.images = new ImageIntake(store);
    this.config = config;
    this.metrics = metrics;
    this.speeds = speeds;
    this.former = new BatchFormer(maxBatchDelay, AGEING, arrivals::expectedIn);
    this.loop = new ScheduledThreadPoolExecutor(1, task -> new Thread(task, "dispatch"));
    loop.setRemoveOnCancelPolicy(true);
    AtomicInteger number = new AtomicInteger();
    this.storeThreads =
        Executors.newFixedThreadPool(
            STORE_THREADS, task -> new Thread(task, "store-" + number.incrementAndGet()));
    arrivals.onQuiet(() -> execute(this::match));
    this.onReady = queue.ready().onReady(bucket -> execute(() -> ready(bucket)));
    this.onStopped = queue.leases().onStopped(jobId -> execute(() -> stopped(jobId)));
    long interval = config.heartbeatInterval().toMillis();
    loop.scheduleWithFixedDelay(this::renewUnread, interval, interval, TimeUnit.MILLISECONDS);
  }

  /** Runs a task in the dispatch loop. */
  void execute(Runnable task) {
    try {
      loop.execute(
          () -> {
            try {
              task.run();
            } catch (RuntimeException e) {
              log.error("The dispatch loop goes on after an error", e);
            }
          });
    } catch (RejectedExecutionException e) {
      log.debug("The dispatch loop has ended");
    }
  }

  /** What workers say of the batches that they draw. */
  public ProgressFeed feed() {
    return feed;
  }

  Speeds speeds() {
    return speeds;
  }

  OutcomeIntake newIntake(WorkerProfile worker, OutcomeIntake.Listener session) {
    return new OutcomeIntake(queue, images, worker, storeThreads, loop, session);
  }

  // Workers come and go

  /** Takes a worker in, with those of its leases that are still its own. */
  void join(WorkerSession session, List<HeldLease> held) {
    if (stopping) {
      session.fail(new BitloomException(ErrorCode.SHUTTING_DOWN, "this coordinator stops"));
      return;
    }
    Map<LeaseRef, OpenLease> before = new HashMap<>();
    WorkerSession replaced = sessions.put(session.workerId(), session);
    if (replaced != null) {
      replaced.leases().all().forEach(lease -> before.put(lease.ref(), lease));
      replaced.fail(WorkerMessages.violation("this worker has connected again"));
    }
    session.joined();
    models.connected(session.profile());
    HeldLeases named = HeldLeases.of(held, before);
    models
        .announce(session.profile().models())
        .thenCompose(
            done ->
                named.leases().isEmpty()
                    ? CompletableFuture.completedStage(Set.<LeaseRef>of())
                    : queue
                        .leases()
                        .renew(session.workerId(), named.leases().keySet(), config.duration()))
        .whenCompleteAsync(
            (lost, error) -> {
              if (error != null) {
                session.fail(error);
              } else {
                welcome(session, named, lost);
              }
            },
            loop);
    // What the worker does not name it never got: nobody works on it.
    before.values().forEach(lease -> release(lease.ref(), named.unnamed(lease)));
  }

  private void welcome(WorkerSession session, HeldLeases named, Set<LeaseRef> lost) {
    log.info(
        "Worker {} connected: {}, models {}",
        session.workerId(),
        session.profile().device(),
        session.profile().modelNames());
    session.welcome(named.without(lost), named.lostIds(lost), coordinatorId, images.takesUploads());
    match();
  }

  /**
   * A worker's stream ended. Its leases get the grace to live, unless the worker renews them, here
   * or with another coordinator.
   */
  void left(WorkerSession session) {
    models.disconnected(session.profile());
    if (stopping || sessions.get(session.workerId()) != session) {
      return;
    }
    if (session.leases().all().isEmpty()) {
      log.info("Worker {} left", session.workerId());
      sessions.remove(session.workerId());
      return;
    }
    Duration grace = config.reconnectGrace();
    log.info(
        "Worker {} was cut off with {} leases, which wait {} ms for it",
        session.workerId(),
        session.leases().all().size(),
        grace.toMillis());
    queue
        .leases()
        .renew(session.workerId(), session.leases().refs(), grace)
        .whenComplete((lost, error) -> report("shorten leases", error));
    schedule(() -> forget(session), grace);
  }

  private void forget(WorkerSession session) {
    if (sessions.remove(session.workerId(), session)) {
      int prompts =
          session.leases().all().stream().mapToInt(lease -> lease.openTasks().size()).sum();
      metrics.retried(ErrorCode.WORKER_LOST.name(), prompts);
    }
  }

  /** Tells all workers to go elsewhere and takes no new ones. */
  public void drain() {
    execute(
        () -> {
          stopping = true;
          sessions.values().forEach(session -> session.drain("this coordinator stops"));
        });
  }

  // Leases

  void renew(WorkerSession session, Collection<LeaseRef> leases) {
    if (leases.isEmpty()) {
      return;
    }
    queue
        .leases()
        .renew(session.workerId(), leases, config.duration())
        .whenCompleteAsync(
            (lost, error) -> {
              if (error == null) {
                lost.forEach(session.leases()::lost);
              } else {
                report("renew leases of " + session.workerId(), error);
              }
            },
            loop);
  }

  private void renewUnread() {
    sessions.values().forEach(session -> renew(session, session.leasesOfUnreadStream()));
  }

  /** Nobody wants the prompts of this job any more. */
  private void stopped(String jobId) {
    sessions.values().forEach(session -> session.leases().stop(jobId));
  }

  void release(LeaseRef lease, Collection<TaskRef> tasks) {
    if (!tasks.isEmpty()) {
      queue
          .leases()
          .release(lease, List.copyOf(tasks))
          .whenComplete((done, error) -> report("release prompts", error));
    }
  }

  /** Nothing is lost by a failed call: leases expire, and what waits is looked at again. */
  private static void report(String what, Throwable error) {
    if (error == null) {
      return;
    }
    if (Patience.unavailable(error)) {
      log.debug("Cannot {}: {}", what, error.toString());
    } else {
      log.error("Cannot {}", what, error);
    }
  }

  // Matching

  private void ready(Bucket bucket) {
    former.ready(bucket, System.nanoTime());
    match();
  }

  /** Leases batches for the workers that want one, or sees to it that this is tried in time. */
  void match() {
    nextMatch.cancel(false);
    Set<Bucket> ready = queue.ready().buckets();
    if (stopping || ready.isEmpty()) {
      return;
    }
    long now = System.nanoTime();
    List<WorkerSession> waiting = waiting();
    if (waiting.isEmpty() || rank(ready, now)) {
      return;
    }
    long wake = Long.MAX_VALUE;
    for (WorkerSession session : waiting) {
      BatchFormer.Decision decision = former.decide(session.profile(), session.idle(), ready, now);
      if (decision instanceof BatchFormer.Draw draw) {
        lease(session, draw);
      } else if (decision instanceof BatchFormer.WaitUntil wait) {
        wake = Math.min(wake, wait.nanos());
      }
    }
    if (wake != Long.MAX_VALUE) {
      nextMatch = schedule(this::match, Duration.ofNanos(wake - now));
    }
  }

  /**
   * Sees to it that the priorities of ready buckets are known and not too old.
   *
   * @return whether matching has to wait for that
   */
  private boolean rank(Set<Bucket> ready, long now) {
    boolean ranked = former.ranked(ready, now);
    boolean old = ready.size() > 1 && now - rankedAt > RANK_AGAIN.toNanos();
    if (!ranking && (!ranked || old)) {
      ranking = true;
      queue.backlog().buckets().whenCompleteAsync(this::ranked, loop);
    }
    return !ranked;
  }

  private void ranked(List<BucketBacklog> backlog, Throwable error) {
    ranking = false;
    long now = System.nanoTime();
    rankedAt = now;
    if (error == null) {
      shares = Shares.of(backlog);
      backlog.forEach(
          of -> former.rank(of.bucket(), of.topPriority(), shares.weight(of.bucket()), now));
      match();
    } else {
      report("look at priorities", error);
      nextMatch.cancel(false);
      nextMatch = schedule(this::match, RETRY_LEASE);
    }
  }

  /** Who has nothing to do goes first. */
  private List<WorkerSession> waiting() {
    return sessions.values().stream()
        .filter(WorkerSession::wantsWork)
        .sorted(Comparator.comparingInt(WorkerSession::leaseCount))
        .toList();
  }

  private void lease(WorkerSession session, BatchFormer.Draw draw) {
    session.leasing(true);
    queue
        .leases()
        .lease(
            draw.bucket(),
            session.workerId(),
            draw.maxImages(),
            config.duration(),
            queue.ready().buckets().size() > 1 ? shares.spread() : Map.of())
        .whenCompleteAsync((batch, error) -> leased(session, draw, batch, error), loop);
  }

  private void leased(
      WorkerSession session, BatchFormer.Draw draw, Optional<LeasedBatch> batch, Throwable error) {
    session.leasing(false);
    if (error != null) {
      report("lease for " + session.workerId(), error);
      nextMatch.cancel(false);
      nextMatch = schedule(this::match, RETRY_LEASE);
      return;
    }
    batch.ifPresent(leased -> give(session, draw, leased));
    if (!queue.ready().buckets().contains(draw.bucket())) {
      former.empty(draw.bucket(), System.nanoTime());
    }
    match();
  }

  private void give(WorkerSession session, BatchFormer.Draw draw, LeasedBatch batch) {
    if (session.give(batch)) {
      former.drawn(draw.bucket(), batch.images(), draw.maxImages(), System.nanoTime());
      metrics.batch(draw.bucket(), batch.images(), draw.maxImages());
    } else {
      release(batch.lease(), batch.tasks().stream().map(task -> task.task()).toList());
    }
  }

  private Future<?> schedule(Runnable task, Duration delay) {
    try {
      return loop.schedule(() -> execute(task), delay.toNanos(), TimeUnit.NANOSECONDS);
    } catch (RejectedExecutionException e) {
      log.debug("The dispatch loop has ended");
      return CompletableFuture.completedFuture(null);
    }
  }

  /** The workers that are connected here, or were a moment ago. */
  public CompletionStage<List<WorkerView>> workers() {
    return CompletableFuture.supplyAsync(
        () ->
            sessions.values().stream()
                .filter(WorkerSession::welcomed)
                .map(WorkerSession::view)
                .toList(),
        loop);
  }

  /** How many workers are connected here. */
  public CompletionStage<Long> connectedWorkers() {
    return workers().thenApply(all -> all.stream().filter(WorkerView::connected).count());
  }

  /** Ends the loop; leases stay with their workers, which will name them where they go. */
  @Override
  public void close() {
    onReady.close();
    onStopped.close();
    loop.shutdownNow();
    storeThreads.shutdown();
  }
}
