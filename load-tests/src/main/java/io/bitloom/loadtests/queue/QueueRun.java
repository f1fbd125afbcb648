package io.bitloom.loadtests.queue;

import io.bitloom.common.prompt.PromptRules;
import io.bitloom.coordinator.FakeBehaviour;
import io.bitloom.coordinator.FakeWorker;
import io.bitloom.loadtests.process.CoordinatorProcess;
import io.bitloom.v1.BatchServiceGrpc;
import io.bitloom.v1.GetJobRequest;
import io.bitloom.v1.Job;
import io.bitloom.v1.ListModelsRequest;
import io.bitloom.v1.Prompt;
import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * All measurements of one coordinator and its Redis, in the order in which they build on each
 * other.
 *
 * <p>But for the row with images, fake workers refuse every prompt for good, which takes the same
 * way through the queue as an image but for the result store.
 */
final class QueueRun implements AutoCloseable {

  private static final String MODEL = "fake";
  private static final String DRAWING_MODEL = "small-pictures";
  private static final FakeBehaviour REFUSING =
      FakeBehaviour.DEFAULT
          .withModel(MODEL, "0.06M")
          .withBatch(64, Duration.ZERO)
          .with(new FakeBehaviour.Troubles(0, 1, 0, 1));
  private static final int[] BATCHES = {16, 32, 64, 64};
  private static final int STREAMS = 2;
  private static final int REFILL = 256;
  private static final int WARM_UP_ROUNDS = 12;
  private static final int URGENT_WAITING = 100_000;
  private static final int URGENT_AFTER = 100; // batches
  private static final int IMAGE_BYTES = 4096;

  private final CoordinatorProcess coordinator;
  private final String policy;
  private final int many;
  private final boolean quick;
  private final boolean profile;
  private final Table table;
  private final PrintWriter out;
  private final ManagedChannel channel;
  private final RedisUnderTest redis;

  private Latencies writes;

  QueueRun(
      CoordinatorProcess coordinator,
      String policy,
      int many,
      boolean quick,
      boolean profile,
      Table table,
      PrintWriter out) {
    this.coordinator = coordinator;
    this.policy = policy;
    this.many = many;
    this.quick = quick;
    this.profile = profile;
    this.table = table;
    this.out = out;
    this.channel = NettyChannelBuilder.forTarget(coordinator.target()).usePlaintext().build();
    this.redis = new RedisUnderTest(coordinator.redis());
  }

  @Override
  public void close() {
    redis.close();
    channel.shutdownNow();
  }

  void measure(Path folder) throws Exception {
    redis.appendFsync(policy);
    row("sync of 2 KB by the disk, p50 / p99", DiskSync.measure(folder).toString());
    writes = redis.writes(quick ? 300 : 1_000);
    row("a write of raw Redis, one at a time, p50 / p99", writes.toString());
    double pushes = redis.pushes(many / 5);
    row("pushes of raw Redis, prompts/s", rate(pushes));
    double adds = redis.adds(many / 5);
    row("adds by script of raw Redis, 64 a call, prompts/s", rate(adds));
    double leases = redis.leases(many / 5);
    row("leases by script of raw Redis, 64 a call, prompts/s", rate(leases));

    warmUp();
    Backlog few = leaseLatency(1_000, "1,000");
    try (FakeWorker worker = worker("few", REFUSING, (lease, tasks, wait) -> {})) {
      awaitEnd(few.job());
    }
    StalledReaders readers = new StalledReaders(channel, coordinator.target());
    long empty = redis.memory();
    long heapEmpty = coordinator.liveHeap();

    long start = System.nanoTime();
    List<Submitter> jobs = appendAll(MODEL, many);
    double appended = many * 1e9 / (System.nanoTime() - start);
    table.figure(policy, "append_prompts_per_second", appended);
    row(
        "append, prompts/s (to adds)",
        rate(appended) + times(appended / adds),
        "≥ 45,000",
        "BullMQ 29,000–43,000; Celery 2,700");
    double payload = payloadBytes(jobs);
    table.figure(
        policy,
        "queued_prompt_bytes_beyond_payload",
        (double) (redis.memory() - empty) / many - payload);
    row(
        "Redis memory per queued prompt beyond its payload",
        String.format(
            Locale.ROOT,
            "%.0f B of %.0f",
            (double) (redis.memory() - empty) / many - payload,
            payload),
        "≤ 100 B",
        "BullMQ 806 B with payload");

    Backlog lots = leaseLatency(0, String.format(Locale.ROOT, "%,d", many));
    row(
        String.format(Locale.ROOT, "… p99 with %,d to that with 1,000", many),
        String.format(
            Locale.ROOT, "%.2f", lots.waits().quantile(0.99) / few.waits().quantile(0.99)),
        "≤ 1.10",
        "");
    table.figure(
        policy,
        "lease_p99_to_that_with_1000_queued",
        lots.waits().quantile(0.99) / few.waits().quantile(0.99));
    // Only now: for some seconds after such a collection, leases take longer.
    long heapQueued = coordinator.liveHeap();
    readers.start();
    long heapReaders = coordinator.liveHeap();
    readers.stop();
    row(
        String.format(
            Locale.ROOT,
            "coordinator heap after a collection: empty / %,d queued / and %d stalled readers",
            many,
            StalledReaders.READERS),
        String.format(
            Locale.ROOT, "%d / %d / %d MB", heapEmpty >> 20, heapQueued >> 20, heapReaders >> 20),
        "flat at -Xmx512m",
        "");

    jobs.add(lots.job());
    drain(jobs, leases);
    finished(jobs, empty, payload);
    oneByOne();
    images();
    urgent();
  }

  // The table

  private void row(String what, String measured) {
    row(what, measured, "", "");
  }

  private void row(String what, String measured, String target, String others) {
    table.add(policy, what, measured, target, others);
    out.println("  " + what + ": " + measured);
    out.flush();
  }

  private static String rate(double rate) {
    return String.format(Locale.ROOT, "%,.0f", rate);
  }

  private static String times(double ratio) {
    return String.format(Locale.ROOT, " (%.2f×)", ratio);
  }

  // Steps

  /**
   * Appends and drains until that becomes no faster: until then the compilers of Java have more to
   * do than the queue.
   */
  private void warmUp() throws Exception {
    try (FakeWorker worker = worker("first-of-all", REFUSING, (lease, tasks, wait) -> {})) {
      awaitModel(MODEL);
    }
    double best = Double.MAX_VALUE;
    int prompts = Math.max(1_000, many / 10);
    int rounds = quick ? WARM_UP_ROUNDS / 4 : WARM_UP_ROUNDS;
    for (int round = 0, since = 0; round < rounds && since < 2; round++) {
      List<Submitter> jobs = appendAll(MODEL, prompts);
      double seconds = secondsToEnd(jobs, REFUSING);
      since = seconds < 0.95 * best ? 0 : since + 1;
      best = Math.min(best, seconds);
    }
  }

  private FakeWorker worker(String id, FakeBehaviour behaviour, FakeWorker.LeaseListener listener) {
    return FakeWorker.start(
        List.of(coordinator.target()), Optional.empty(), id, behaviour, listener);
  }

  private void awaitModel(String name) throws InterruptedException {
    while (BatchServiceGrpc.newBlockingStub(channel)
        .listModels(ListModelsRequest.getDefaultInstance())
        .getModelsList()
        .stream()
        .noneMatch(model -> model.getName().equals(name))) {
      Thread.sleep(10);
    }
  }

  private List<Submitter> appendAll(String model, int count) throws Exception {
    List<Submitter> jobs = new ArrayList<>();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < STREAMS; i++) {
      Submitter job = new Submitter(channel, model, 5);
      jobs.add(job);
      Thread thread =
          new Thread(
              () -> {
                try {
                  job.append(count / STREAMS);
                  job.finish();
                } catch (Exception e) {
                  throw new IllegalStateException(e);
                }
              });
      thread.start();
      threads.add(thread);
    }
    for (Thread thread : threads) {
      thread.join();
    }
    return jobs;
  }

  /** Bytes that the queue keeps of a prompt: as it is when every default is filled in. */
  private double payloadBytes(List<Submitter> jobs) {
    int sample = many / STREAMS;
    long bytes = 0;
    String id = jobs.get(0).name().substring("jobs/".length());
    for (int i = 0; i < sample; i++) {
      bytes +=
          PromptRules.resolve(
                  Submitter.prompt(i),
                  Prompt.getDefaultInstance(),
                  Prompt.getDefaultInstance(),
                  List.of("0.06M"),
                  id,
                  i)
              .prompt()
              .getSerializedSize();
    }
    return (double) bytes / sample;
  }

  /** A job that was kept filled, and the latency that was seen meanwhile. */
  private record Backlog(Submitter job, Latencies waits) {}

  /**
   * From asking to having, one worker that takes one batch of 16 after the other, while as many
   * prompts are appended as it takes: many in a message, as clients do, so that the queue never
   * runs dry and a batch never waits for more.
   */
  private Backlog leaseLatency(int queueBefore, String queued) throws Exception {
    int samples = quick ? 600 : 2_000;
    Submitter refill = new Submitter(channel, MODEL, 5);
    refill.appendNow(Math.max(1, queueBefore));
    Latencies waits = new Latencies();
    AtomicLong seen = new AtomicLong();
    AtomicInteger taken = new AtomicInteger();
    try (FakeWorker worker =
        worker(
            "latency",
            REFUSING.withBatch(16, Duration.ZERO).withPrefetch(1),
            (lease, tasks, wait) -> {
              if (seen.incrementAndGet() > samples / 4) {
                waits.add(wait);
              }
              if (taken.addAndGet(tasks.size()) >= REFILL) {
                refill.appendNow(taken.getAndSet(0));
              }
            })) {
      while (waits.count() < samples) {
        Thread.sleep(5);
      }
    }
    refill.finish();
    row(
        "lease latency with " + queued + " queued, p50 / p99 (to a write's)",
        waits
            + times(waits.quantile(0.5) / writes.quantile(0.5))
            + times(waits.quantile(0.99) / writes.quantile(0.99)),
        "p99 ≤ 10 ms",
        "");
    return new Backlog(refill, waits);
  }

  private void drain(List<Submitter> jobs, double rawLeases) throws Exception {
    long waiting = 0;
    for (Submitter job : jobs) {
      waiting += job(job).getCounts().getQueued();
    }
    redis.resetStatistics();
    CpuTime cpu = new CpuTime(coordinator.pid(), redis);
    double seconds = secondsToEnd(jobs, REFUSING);
    CpuTime.Parts parts = cpu.since(waiting);
    if (profile) {
      out.println(redis.commands());
    }
    row(
        "lease + commit in batches of 16 to 64, prompts/s (to leases)",
        rate(waiting / seconds) + times(waiting / seconds / rawLeases),
        "≥ 30,000",
        "BullMQ 21,700; Celery 2,300");
    row("… µs of CPU a prompt: client and workers / coordinator / Redis", parts.toString());
    table.figure(policy, "lease_commit_prompts_per_second", waiting / seconds);
    table.figure(policy, "lease_commit_cpu_us_client", parts.client());
    table.figure(policy, "lease_commit_cpu_us_coordinator", parts.coordinator());
    table.figure(policy, "lease_commit_cpu_us_redis", parts.redis());
  }

  /** Each outcome is a message of its own, as the images of a worker become ready. */
  private void oneByOne() throws Exception {
    int prompts = Math.max(1_000, many / 5);
    List<Submitter> jobs = appendAll(MODEL, prompts);
    CpuTime cpu = new CpuTime(coordinator.pid(), redis);
    double seconds = secondsToEnd(jobs, REFUSING.withOneByOne(true));
    CpuTime.Parts parts = cpu.since(prompts);
    row(
        "lease + commit with outcomes one by one, prompts/s",
        rate(prompts / seconds),
        "1.5 × BullMQ",
        "");
    row("… µs of CPU a prompt, likewise", parts.toString());
    table.figure(policy, "one_by_one_prompts_per_second", prompts / seconds);
    table.figure(policy, "one_by_one_cpu_us_coordinator", parts.coordinator());
    table.figure(policy, "one_by_one_cpu_us_redis", parts.redis());
  }

  /** How long workers take to end jobs. */
  private double secondsToEnd(List<Submitter> jobs, FakeBehaviour behaviour) throws Exception {
    List<FakeWorker> workers = new ArrayList<>();
    long start = System.nanoTime();
    for (int i = 0; i < BATCHES.length; i++) {
      workers.add(
          worker(
              behaviour.model() + "-" + i,
              behaviour.withBatch(BATCHES[i], Duration.ZERO),
              (lease, tasks, wait) -> {}));
    }
    for (Submitter job : jobs) {
      awaitEnd(job);
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    workers.forEach(FakeWorker::close);
    return seconds;
  }

  /** With one image of each prompt, which the directory of results keeps. */
  private void images() throws Exception {
    FakeBehaviour drawing =
        FakeBehaviour.DEFAULT.withModel(DRAWING_MODEL, "0.06M").withImageBytes(IMAGE_BYTES);
    try (FakeWorker worker = worker("first", drawing, (lease, tasks, wait) -> {})) {
      awaitModel(DRAWING_MODEL);
    }
    int prompts = Math.max(2_000, many / 100);
    double seconds = secondsToEnd(appendAll(DRAWING_MODEL, prompts), drawing);
    row(
        String.format(
            Locale.ROOT,
            "lease + commit with an image of %d KB each, files synced as Redis's is, prompts/s",
            IMAGE_BYTES >> 10),
        rate(prompts / seconds));
    table.figure(policy, "images_prompts_per_second", prompts / seconds);
  }

  /** What is left when every prompt has its outcome, besides prompt and outcome themselves. */
  private void finished(List<Submitter> jobs, long empty, double payload) throws Exception {
    long prompts = 0;
    double bodies = 0;
    for (Submitter job : jobs) {
      long appended = job(job).getCounts().getAppended();
      prompts += appended;
      bodies += appended * redis.meanOutcome(job.name().substring("jobs/".length()));
    }
    double left = (redis.memory() - empty - bodies) / prompts - payload;
    table.figure(policy, "finished_prompt_bytes_beyond_payload_and_outcome", left);
    row(
        "Redis memory per finished prompt beyond payload and outcome",
        String.format(Locale.ROOT, "%.0f B of %.0f", left, payload + bodies / prompts),
        "≤ 40 B",
        "BullMQ 1,288 B with payload");
  }

  /** One at a time, when all others are queued and the worker has begun with them. */
  private void urgent() throws Exception {
    int samples = quick ? 300 : 1_000;
    Submitter bulk = new Submitter(channel, MODEL, 5);
    bulk.append(URGENT_WAITING + 40 * samples);
    bulk.finish();
    Submitter urgent = new Submitter(channel, MODEL, 9);
    Latencies waits = new Latencies();
    AtomicLong sentAt = new AtomicLong();
    CountDownLatch begun = new CountDownLatch(URGENT_AFTER);
    try (FakeWorker worker =
        worker(
            "urgent",
            REFUSING.withBatch(16, Duration.ZERO).withPrefetch(1),
            (lease, tasks, wait) -> {
              begun.countDown();
              if (tasks.stream().anyMatch(task -> task.getRef().getJob().equals(urgent.name()))) {
                waits.add(System.nanoTime() - sentAt.get());
              }
            })) {
      begun.await();
      for (int i = 0; i < samples; i++) {
        int before = waits.count();
        sentAt.set(System.nanoTime());
        urgent.appendNow(1);
        while (waits.count() == before) {
          Thread.onSpinWait();
          Thread.sleep(0, 100_000);
        }
      }
    }
    row(
        String.format(
            Locale.ROOT,
            "an urgent prompt past %,d waiting until a worker has it, p50 / p99 (to a write's)",
            URGENT_WAITING),
        waits + times(waits.quantile(0.5) / writes.quantile(0.5)),
        "median ≤ 4 ms",
        "BullMQ 4.1 ms");
    table.figure(policy, "urgent_p50_ms", waits.quantile(0.5));
    table.figure(policy, "urgent_p99_ms", waits.quantile(0.99));
  }

  private Job job(Submitter job) {
    return BatchServiceGrpc.newBlockingStub(channel)
        .getJob(GetJobRequest.newBuilder().setName(job.name()).build())
        .getJob();
  }

  private void awaitEnd(Submitter job) throws InterruptedException {
    while (!job(job).hasEndTime()) {
      Thread.sleep(20);
    }
  }
}
