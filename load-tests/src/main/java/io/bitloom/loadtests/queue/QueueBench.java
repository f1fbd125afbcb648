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
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * Measures the queue through gRPC: client, fake workers, coordinator and Redis on this machine.
 *
 * <p>Fake workers refuse every prompt for good, which takes the same way through the queue as an
 * image but for the result store, whose files would be measured instead.
 */
@Command(
    name = "queue",
    description = "Measures the queue and prints one table.",
    mixinStandardHelpOptions = true)
public final class QueueBench implements Callable<Integer> {

  private static final String MODEL = "fake";
  private static final FakeBehaviour REFUSING =
      FakeBehaviour.DEFAULT
          .withModel(MODEL, "0.06M")
          .withBatch(64, Duration.ZERO)
          .with(new FakeBehaviour.Troubles(0, 1, 0, 1));
  private static final int STREAMS = 2;
  private static final int URGENT_WAITING = 100_000;

  @Spec private CommandSpec spec;

  @Option(names = "--quick", description = "A tenth of the prompts: half a minute, rough figures.")
  private boolean quick;

  @Option(names = "--prompts", description = "How many are queued (default: 1,000,000).")
  private int prompts;

  @Option(names = "--profile", description = "Prints the commands that took Redis longest.")
  private boolean profile;

  @Option(
      names = "--redis",
      description = "URI of the Redis to use (default: an embedded one that syncs every write).")
  private String redisUri = "embedded";

  @Option(
      names = "--appendfsync",
      description = "How the embedded Redis syncs its writes: always (default) or everysec.")
  private String appendFsync = "always";

  private final Table table = new Table();
  private PrintWriter out;
  private CoordinatorProcess coordinator;
  private RedisUnderTest redis;
  private ManagedChannel channel;
  private int many;

  @Override
  public Integer call() throws Exception {
    out = spec.commandLine().getOut();
    many = prompts > 0 ? prompts : quick ? 100_000 : 1_000_000;
    Path folder = Files.createTempDirectory("bitloom-bench");
    try (CoordinatorProcess process =
        CoordinatorProcess.start(
            folder, "coordinator", 0, List.of("--redis=" + redisUri, "--no-fsync-results"))) {
      process.awaitReady();
      measure(process);
    } finally {
      delete(folder);
    }
    table.print(out);
    return 0;
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    }
  }

  private void measure(CoordinatorProcess process) throws Exception {
    coordinator = process;
    channel = NettyChannelBuilder.forTarget(process.target()).usePlaintext().build();
    try (RedisUnderTest ofProcess = new RedisUnderTest(process.redis())) {
      redis = ofProcess;
      redis.appendFsync(appendFsync);
      measure();
    } finally {
      channel.shutdownNow();
    }
  }

  private void measure() throws Exception {
    double pushes = redis.pushes(many / 5);
    double adds = redis.adds(many / 2);
    double leases = redis.leases(many / 2);
    say("raw Redis: %,.0f pushes, %,.0f adds, %,.0f leases a second", pushes, adds, leases);

    warmUp();
    Backlog few = leaseLatency(1_000, "1,000");
    try (FakeWorker worker = worker("few", REFUSING, (lease, wait) -> {})) {
      awaitEnd(few.job());
    }
    StalledReaders readers = new StalledReaders(channel, coordinator.target());
    long empty = redis.memory();
    long heapEmpty = coordinator.liveHeap();

    long start = System.nanoTime();
    List<Submitter> jobs = appendAll(many);
    double appended = many * 1e9 / (System.nanoTime() - start);
    row(
        "append, prompts/s",
        appended,
        "≥ 45,000",
        appended / adds,
        "BullMQ 29,000–43,000; Celery 2,700");
    double payload = payloadBytes(jobs);
    double perQueued = (double) (redis.memory() - empty) / many - payload;
    table.add(
        "Redis memory per queued prompt beyond its payload of %.0f B".formatted(payload),
        "%.0f B".formatted(perQueued),
        "≤ 100 B",
        "",
        "BullMQ 806 B with payload");
    say("append %,.0f/s, memory %.0f B", appended, perQueued);

    long heapQueued = coordinator.liveHeap();
    readers.start();
    long heapReaders = coordinator.liveHeap();
    readers.stop();
    table.add(
        "coordinator heap after a collection: empty / %,d queued / and %d stalled readers"
            .formatted(many, StalledReaders.READERS),
        "%d / %d / %d MB".formatted(heapEmpty >> 20, heapQueued >> 20, heapReaders >> 20),
        "flat at -Xmx512m",
        "",
        "");
    say("heap %d, %d, %d MB", heapEmpty >> 20, heapQueued >> 20, heapReaders >> 20);

    Backlog lots = leaseLatency(0, "%,d".formatted(many));
    table.add(
        "… p99 with %,d to that with 1,000".formatted(many),
        "%.2f".formatted(lots.p99() / few.p99()),
        "≤ 1.10",
        "",
        "");
    jobs.add(lots.job());
    drain(jobs, leases);
    finished(jobs, empty, payload);
    urgent();
    table.add("pushes, prompts/s (raw Redis)", "%,.0f".formatted(pushes), "", "", "");
    table.add("adds by script, 64 a call (raw Redis)", "%,.0f".formatted(adds), "", "", "");
    table.add("leases by script, 64 a call (raw Redis)", "%,.0f".formatted(leases), "", "", "");
  }

  private void row(String what, double rate, String target, double ratio, String others) {
    table.add(
        what, String.format(Locale.ROOT, "%,.0f", rate), target, "%.2f".formatted(ratio), others);
  }

  private void say(String format, Object... values) {
    out.printf(Locale.ROOT, format + "%n", values);
    out.flush();
  }

  private void warmUp() throws Exception {
    try (FakeWorker worker = worker("warm-up", REFUSING, (lease, wait) -> {})) {
      awaitModel();
      for (Submitter job : appendAll(many / 10)) {
        awaitEnd(job);
      }
    }
  }

  private FakeWorker worker(String id, FakeBehaviour behaviour, FakeWorker.LeaseListener listener) {
    return FakeWorker.start(
        List.of(coordinator.target()), Optional.empty(), id, behaviour, listener);
  }

  private void awaitModel() throws InterruptedException {
    while (BatchServiceGrpc.newBlockingStub(channel)
            .listModels(ListModelsRequest.getDefaultInstance())
            .getModelsCount()
        == 0) {
      Thread.sleep(10);
    }
  }

  private List<Submitter> appendAll(int count) throws Exception {
    List<Submitter> jobs = new ArrayList<>();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < STREAMS; i++) {
      Submitter job = new Submitter(channel, MODEL, 5);
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
  private record Backlog(Submitter job, double p99) {}

  /**
   * From asking to having, one worker that takes one batch of 16 after the other, while as many
   * prompts are appended as it takes.
   */
  private Backlog leaseLatency(int queueBefore, String queued) throws Exception {
    int samples = quick ? 1_000 : 4_000;
    Submitter refill = new Submitter(channel, MODEL, 5);
    refill.appendNow(Math.max(1, queueBefore));
    Latencies waits = new Latencies();
    AtomicLong seen = new AtomicLong();
    try (FakeWorker worker =
        worker(
            "latency",
            REFUSING.withBatch(16, Duration.ZERO).withPrefetch(1),
            (lease, wait) -> {
              if (seen.incrementAndGet() > samples / 4) {
                waits.add(wait);
              }
              refill.appendNow(lease.getTasksCount());
            })) {
      while (waits.count() < samples) {
        Thread.sleep(5);
      }
    }
    refill.finish();
    double p99 = waits.quantile(0.99);
    table.add(
        "lease latency with " + queued + " queued, p50 / p99",
        "%.2f / %.2f ms".formatted(waits.quantile(0.5), p99),
        "p99 ≤ 10 ms",
        "",
        "");
    say("lease latency with %s: p50 %.2f p99 %.2f", queued, waits.quantile(0.5), p99);
    return new Backlog(refill, p99);
  }

  private void drain(List<Submitter> jobs, double rawLeases) throws Exception {
    long waiting = 0;
    for (Submitter job : jobs) {
      waiting += job(job).getCounts().getQueued();
    }
    List<FakeWorker> workers = new ArrayList<>();
    int[] sizes = {16, 32, 64, 64};
    redis.resetStatistics();
    CpuTime cpu = new CpuTime(coordinator.pid(), redis);
    long start = System.nanoTime();
    for (int i = 0; i < sizes.length; i++) {
      workers.add(worker("drain-" + i, REFUSING.withBatch(sizes[i], Duration.ZERO), (l, w) -> {}));
    }
    for (Submitter job : jobs) {
      awaitEnd(job);
    }
    double rate = waiting * 1e9 / (System.nanoTime() - start);
    say("drain: %s", cpu.since(waiting));
    if (profile) {
      say("%s", redis.commands());
    }
    workers.forEach(FakeWorker::close);
    row(
        "lease + commit in batches of 16 to 64, prompts/s",
        rate,
        "≥ 30,000",
        rate / rawLeases,
        "BullMQ 21,700; Celery 2,300");
    say("drain %,.0f/s", rate);
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
    table.add(
        "Redis memory per finished prompt beyond payload and outcome of %.0f B"
            .formatted(bodies / prompts),
        "%.0f B".formatted(left),
        "≤ 40 B",
        "",
        "BullMQ 1,288 B with payload");
    say("memory after %.0f B", left);
  }

  private void urgent() throws Exception {
    int samples = quick ? 100 : 300;
    Submitter bulk = new Submitter(channel, MODEL, 5);
    bulk.append(URGENT_WAITING + 40 * samples);
    Submitter urgent = new Submitter(channel, MODEL, 9);
    Latencies waits = new Latencies();
    AtomicLong sentAt = new AtomicLong();
    try (FakeWorker worker =
        worker(
            "urgent",
            REFUSING.withBatch(16, Duration.ZERO).withPrefetch(1),
            (lease, wait) -> {
              if (lease.getTasksList().stream()
                  .anyMatch(task -> task.getRef().getJob().equals(urgent.name()))) {
                waits.add(System.nanoTime() - sentAt.get());
              }
            })) {
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
    long left = job(bulk).getCounts().getQueued();
    table.add(
        "an urgent prompt past %,d waiting until a worker has it, median".formatted(left),
        "%.1f ms".formatted(waits.quantile(0.5)),
        "≤ 4 ms",
        "",
        "BullMQ 4.1 ms");
    say(
        "urgent past %,d: median %.2f ms p99 %.2f",
        left, waits.quantile(0.5), waits.quantile(0.99));
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
