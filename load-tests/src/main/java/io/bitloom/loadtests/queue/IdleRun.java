package io.bitloom.loadtests.queue;

import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.common.schedule.SizeClass;
import io.bitloom.coordinator.FakeBehaviour;
import io.bitloom.coordinator.FakeWorker;
import io.bitloom.loadtests.process.CoordinatorProcess;
import io.bitloom.v1.BatchServiceGrpc;
import io.bitloom.v1.GetJobRequest;
import io.bitloom.v1.ListModelsRequest;
import io.bitloom.v1.PauseJobRequest;
import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The measurements of {@link IdleBench}, in their order. Fake workers refuse every prompt for good,
 * as in {@link QueueRun}.
 */
final class IdleRun implements AutoCloseable {

  private static final String MODEL = "fake";
  private static final int BUCKETS = 15;
  private static final int BATCH = 16;
  private static final int PROMPTS_OF_AN_IDLE_JOB = 2;
  private static final int CALLERS = 16;
  private static final Duration SETTLE = Duration.ofSeconds(10);

  private static final FakeBehaviour REFUSING =
      FakeBehaviour.DEFAULT
          .withModel(MODEL, "0.06M")
          .withBatch(BATCH, Duration.ZERO)
          .withPrefetch(1)
          .with(new FakeBehaviour.Troubles(0, 1, 0, 1));

  private static final List<String> SHAPES =
      ScaleSchedules.of(SizeClass.find("0.06M").orElseThrow()).stream()
          .map(ScaleSchedule::shape)
          .limit(BUCKETS)
          .toList();

  private static final int ROUNDS = 12;

  private final int workerCount;
  private final int prompts;
  private final PrintWriter out;
  private final String target;
  private final ManagedChannel channel;
  private final RedisUnderTest redis;
  private final List<FakeWorker> workers = new ArrayList<>();
  private final AtomicLong leases = new AtomicLong();
  private double single;

  IdleRun(CoordinatorProcess first, int workerCount, int prompts, PrintWriter out)
      throws Exception {
    this.workerCount = workerCount;
    this.prompts = prompts;
    this.out = out;
    this.channel = NettyChannelBuilder.forTarget(first.target()).usePlaintext().build();
    this.target = first.target();
    this.redis = new RedisUnderTest(first.redis());
    redis.appendFsync("everysec");
    try (FakeWorker worker = worker(first.target(), 0)) {
      while (BatchServiceGrpc.newBlockingStub(channel)
          .listModels(ListModelsRequest.getDefaultInstance())
          .getModelsList()
          .isEmpty()) {
        Thread.sleep(10);
      }
    }
  }

  private void say(String what, String measured) {
    out.println(what + ": " + measured);
    out.flush();
  }

  private FakeWorker worker(String where, int number) {
    return FakeWorker.start(
        List.of(where),
        Optional.empty(),
        "worker-" + number,
        REFUSING,
        (lease, tasks, wait) -> leases.incrementAndGet());
  }

  private void connect(List<String> targets, int count) throws InterruptedException {
    for (int i = 0; i < count; i++) {
      workers.add(worker(targets.get(i % targets.size()), i));
    }
    for (FakeWorker worker : workers) {
      while (worker.welcomes() == 0) {
        Thread.sleep(10);
      }
    }
  }

  private void disconnect() {
    workers.forEach(FakeWorker::close);
    workers.clear();
  }

  /** One coordinator, a tenth of the workers, one bucket. */
  void drawWithOne() throws Exception {
    connect(List.of(target), Math.max(1, workerCount / 10));
    single = drawUntilNoFaster(1);
    disconnect();
    say("leases a second of one coordinator with one bucket", rate(single));
  }

  /** Opens jobs that are paused, with some prompts each, in all buckets. */
  void fill(int jobs) throws Exception {
    long start = System.nanoTime();
    ExecutorService callers = Executors.newFixedThreadPool(CALLERS);
    List<Future<?>> calls = new ArrayList<>();
    for (int i = 0; i < jobs; i++) {
      String shape = SHAPES.get(i % SHAPES.size());
      calls.add(
          callers.submit(
              () -> {
                Submitter job = new Submitter(channel, MODEL, 5, shape);
                BatchServiceGrpc.newBlockingStub(channel)
                    .pauseJob(PauseJobRequest.newBuilder().setName(job.name()).build());
                job.appendNow(PROMPTS_OF_AN_IDLE_JOB);
                job.close();
                return null;
              }));
    }
    for (Future<?> call : calls) {
      call.get();
    }
    callers.shutdown();
    say(
        String.format(Locale.ROOT, "%,d open jobs in %d buckets", jobs, SHAPES.size()),
        String.format(Locale.ROOT, "made in %.0f s", (System.nanoTime() - start) / 1e9));
  }

  /** All coordinators and workers are there, and nothing can be drawn. */
  void idle(List<CoordinatorProcess> coordinators, int seconds, boolean profile) throws Exception {
    connect(coordinators.stream().map(CoordinatorProcess::target).toList(), workerCount);
    Thread.sleep(SETTLE.toMillis());
    redis.resetStatistics();
    double cpu = redis.cpuMicros();
    long start = System.nanoTime();
    Thread.sleep(seconds * 1000L);
    double share = (redis.cpuMicros() - cpu) / ((System.nanoTime() - start) / 1e3);
    long calls = redis.calls();
    say(
        String.format(Locale.ROOT, "Redis while %d coordinators are idle", coordinators.size()),
        String.format(
            Locale.ROOT,
            "%.1f %% of a core, %,.0f commands/s with those of scripts (target: < 5 %%)",
            100 * share,
            calls * 1e9 / (System.nanoTime() - start)));
    if (profile) {
      out.println(redis.commands());
    }
  }

  /** All of them at work on all buckets. */
  void drawWithAll(List<CoordinatorProcess> coordinators) throws Exception {
    for (CoordinatorProcess coordinator : coordinators) {
      coordinator.requireAlive();
    }
    double all = drawUntilNoFaster(SHAPES.size());
    say(
        String.format(
            Locale.ROOT,
            "leases a second of %d coordinators with %d buckets",
            coordinators.size(),
            SHAPES.size()),
        String.format(
            Locale.ROOT, "%s, %.0f %% of one's (target: ≥ 80 %%)", rate(all), 100 * all / single));
    disconnect();
  }

  private static String rate(double rate) {
    return String.format(Locale.ROOT, "%,.0f", rate);
  }

  /**
   * Leases a second, at best. Each coordinator is a program of its own that the compilers of Java
   * have to work on first, and of ten each has a tenth of the leases to warm up by.
   */
  private double drawUntilNoFaster(int buckets) throws Exception {
    double best = 0;
    for (int round = 0, since = 0; round < ROUNDS && since < 2; round++) {
      double rate = draw(buckets);
      since = rate > 1.05 * best ? 0 : since + 1;
      best = Math.max(best, rate);
    }
    return best;
  }

  /** Leases a second while workers draw prompts in so many buckets. */
  private double draw(int buckets) throws Exception {
    List<Submitter> jobs = new ArrayList<>();
    for (int i = 0; i < buckets; i++) {
      Submitter job = new Submitter(channel, MODEL, 5, SHAPES.get(i));
      BatchServiceGrpc.newBlockingStub(channel)
          .pauseJob(PauseJobRequest.newBuilder().setName(job.name()).build());
      job.append(prompts / buckets);
      job.finish();
      jobs.add(job);
    }
    leases.set(0);
    long start = System.nanoTime();
    for (Submitter job : jobs) {
      job.resume();
    }
    for (Submitter job : jobs) {
      while (!BatchServiceGrpc.newBlockingStub(channel)
          .getJob(GetJobRequest.newBuilder().setName(job.name()).build())
          .getJob()
          .hasEndTime()) {
        Thread.sleep(20);
      }
    }
    return leases.get() * 1e9 / (System.nanoTime() - start);
  }

  @Override
  public void close() {
    disconnect();
    redis.close();
    channel.shutdownNow();
  }
}
