package io.bitloom.coordinator.dispatch.matching;

import com.google.protobuf.ByteString;
import io.bitloom.common.config.ConfigException;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.secret.Secret;
import io.bitloom.coordinator.queue.Backlog;
import io.bitloom.coordinator.queue.Bucket;
import io.bitloom.coordinator.queue.BucketBacklog;
import io.bitloom.coordinator.queue.BucketLine;
import io.bitloom.coordinator.queue.BucketRank;
import io.bitloom.coordinator.queue.Chores;
import io.bitloom.coordinator.queue.JobQueue;
import io.bitloom.coordinator.queue.JobStore;
import io.bitloom.coordinator.queue.JobTimes;
import io.bitloom.coordinator.queue.LeaseRef;
import io.bitloom.coordinator.queue.LeasedBatch;
import io.bitloom.coordinator.queue.LeasedTask;
import io.bitloom.coordinator.queue.Leases;
import io.bitloom.coordinator.queue.ModelRecords;
import io.bitloom.coordinator.queue.PayloadGroup;
import io.bitloom.coordinator.queue.PoolRecords;
import io.bitloom.coordinator.queue.PromptStore;
import io.bitloom.coordinator.queue.ReadyBuckets;
import io.bitloom.coordinator.queue.RegistryRecords;
import io.bitloom.coordinator.queue.ResultLog;
import io.bitloom.coordinator.queue.Subscription;
import io.bitloom.coordinator.queue.TaskFailure;
import io.bitloom.coordinator.queue.TaskOutcome;
import io.bitloom.coordinator.queue.TaskRef;
import io.bitloom.coordinator.queue.TaskVerdict;
import io.bitloom.coordinator.queue.WebhookQueue;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.IntConsumer;

/**
 * Counts what matching asks of the queue, and answers when the test says so. Every prompt asks for
 * one image. What matching does not use is not there.
 */
final class QueueInMemory implements JobQueue {

  /** A lease that was asked for and is not answered. */
  private record Asked(
      Bucket bucket, int images, CompletableFuture<Optional<LeasedBatch>> answer) {}

  private final Map<Bucket, Integer> waiting = new HashMap<>();
  private final Map<Bucket, Integer> priorities = new HashMap<>();
  private final Set<Bucket> readyBuckets = new HashSet<>();
  private final Queue<Asked> open = new ArrayDeque<>();
  private final List<Bucket> asked = new ArrayList<>();
  private final List<String> askedFor = new ArrayList<>();
  private final List<TaskRef> released = new ArrayList<>();
  private Consumer<Bucket> onReady = bucket -> {};
  private long token;

  /** Puts prompts into a bucket, and tells of it if the bucket was empty. */
  void put(Bucket bucket, int prompts, int priority) {
    boolean news;
    synchronized (this) {
      waiting.merge(bucket, prompts, Integer::sum);
      priorities.put(bucket, priority);
      news = readyBuckets.add(bucket);
    }
    if (news) {
      onReady.accept(bucket);
    }
  }

  /** The buckets of all leases that were ever asked for, in order. */
  synchronized List<Bucket> asked() {
    return List.copyOf(asked);
  }

  /** The workers for which they were asked for, in order. */
  synchronized List<String> askedFor() {
    return List.copyOf(askedFor);
  }

  /** Prompts that were handed back. */
  synchronized List<TaskRef> released() {
    return List.copyOf(released);
  }

  /** Answers all leases that were asked for; returns how many these were. */
  int answer() {
    return answer(Integer.MAX_VALUE);
  }

  /** Answers the first of the leases that were asked for; returns how many these were. */
  int answer(int most) {
    List<Asked> now = takeOpen(most);
    List<Optional<LeasedBatch>> batches = now.stream().map(this::batch).toList();
    for (int i = 0; i < now.size(); i++) { // all are taken before anybody hears of one
      now.get(i).answer().complete(batches.get(i));
    }
    return now.size();
  }

  /** Lets all leases fail that were asked for; returns how many these were. */
  int fail() {
    List<Asked> now = takeOpen(Integer.MAX_VALUE);
    now.forEach(
        lease ->
            lease
                .answer()
                .completeExceptionally(new BitloomException(ErrorCode.QUEUE_UNAVAILABLE, "away")));
    return now.size();
  }

  private synchronized List<Asked> takeOpen(int most) {
    List<Asked> now = new ArrayList<>();
    while (!open.isEmpty() && now.size() < most) {
      now.add(open.remove());
    }
    return now;
  }

  private synchronized Optional<LeasedBatch> batch(Asked lease) {
    int there = waiting.get(lease.bucket());
    int given = Math.min(there, lease.images());
    waiting.put(lease.bucket(), there - given);
    if (given == there) {
      readyBuckets.remove(lease.bucket());
    }
    if (given == 0) {
      return Optional.empty();
    }
    LeaseRef ref = new LeaseRef(lease.bucket(), ++token, Secret.draw());
    List<LeasedTask> tasks = new ArrayList<>();
    for (int i = 0; i < given; i++) {
      tasks.add(
          new LeasedTask(
              new TaskRef("job" + token, i), 1, 1, new PayloadGroup(i, ByteString.EMPTY)));
    }
    return Optional.of(new LeasedBatch(ref, tasks));
  }

  @Override
  public ReadyBuckets ready() {
    return new ReadyBuckets() {
      @Override
      public Set<Bucket> buckets() {
        synchronized (QueueInMemory.this) {
          return Set.copyOf(readyBuckets);
        }
      }

      @Override
      public Subscription onReady(Consumer<Bucket> listener) {
        onReady = listener;
        return () -> {};
      }

      @Override
      public Subscription onWork(Consumer<Bucket> listener) {
        throw absent();
      }
    };
  }

  @Override
  public Backlog backlog() {
    return new Backlog() {

      @Override
      public CompletionStage<Boolean> takeReportTurn(Duration lasts) {
        throw absent();
      }

      @Override
      public CompletionStage<Void> leaveReportTurn() {
        throw absent();
      }

      @Override
      public CompletionStage<List<BucketRank>> ranks(Collection<Bucket> buckets) {
        synchronized (QueueInMemory.this) {
          return CompletableFuture.completedStage(
              buckets.stream()
                  .map(
                      bucket ->
                          new BucketRank(bucket, priorities.get(bucket), Map.of("tenant", 1.0)))
                  .toList());
        }
      }

      @Override
      public CompletionStage<List<BucketBacklog>> buckets() {
        throw absent();
      }

      @Override
      public CompletionStage<List<BucketLine>> lines() {
        throw absent();
      }
    };
  }

  @Override
  public Leases leases() {
    return new AskedLeases();
  }

  private final class AskedLeases implements Leases {

    @Override
    public CompletionStage<Optional<LeasedBatch>> lease(
        Bucket bucket,
        String worker,
        int maxImages,
        Duration duration,
        Map<String, Integer> spread) {
      synchronized (QueueInMemory.this) {
        Asked lease = new Asked(bucket, maxImages, new CompletableFuture<>());
        open.add(lease);
        asked.add(bucket);
        askedFor.add(worker);
        return lease.answer();
      }
    }

    @Override
    public CompletionStage<Void> release(LeaseRef lease, List<TaskRef> tasks) {
      synchronized (QueueInMemory.this) {
        released.addAll(tasks);
        return CompletableFuture.completedStage(null);
      }
    }

    @Override
    public CompletionStage<Set<LeaseRef>> renew(
        String worker, Collection<LeaseRef> held, Duration duration) {
      throw absent();
    }

    @Override
    public CompletionStage<Map<LeaseRef, Set<TaskRef>>> claim(
        String worker, Collection<LeaseRef> held, Duration duration) {
      throw absent();
    }

    @Override
    public CompletionStage<List<TaskVerdict>> commit(LeaseRef lease, List<TaskOutcome> outcomes) {
      throw absent();
    }

    @Override
    public CompletionStage<List<TaskVerdict>> fail(LeaseRef lease, List<TaskFailure> failures) {
      throw absent();
    }

    @Override
    public void finished(LeaseRef lease) {
      throw absent();
    }

    @Override
    public CompletionStage<Void> expire(LeaseRef lease) {
      throw absent();
    }

    @Override
    public Subscription onStopped(Consumer<String> listener) {
      throw absent();
    }

    @Override
    public void onGivenUp(IntConsumer listener) {
      throw absent();
    }
  }

  // What matching does not use

  private static UnsupportedOperationException absent() {
    return new UnsupportedOperationException("matching does not use this");
  }

  @Override
  public JobStore jobs() {
    throw absent();
  }

  @Override
  public PromptStore prompts() {
    throw absent();
  }

  @Override
  public ResultLog results() {
    throw absent();
  }

  @Override
  public WebhookQueue webhooks() {
    throw absent();
  }

  @Override
  public Chores chores() {
    throw absent();
  }

  @Override
  public ModelRecords models() {
    throw absent();
  }

  @Override
  public RegistryRecords registry() {
    throw absent();
  }

  @Override
  public void tellTimes(JobTimes listener) {
    throw absent();
  }

  @Override
  public PoolRecords pools() {
    throw absent();
  }

  @Override
  public Subscription onDataLost(Runnable listener) {
    throw absent();
  }

  @Override
  public CompletionStage<ConfigException> unusable() {
    throw absent();
  }

  @Override
  public void close() {
    // It holds nothing.
  }
}
