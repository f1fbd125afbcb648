package io.bitloom.loadtests.chaos;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.client.sdk.BitloomClient;
import io.bitloom.client.sdk.ResumingStream;
import io.bitloom.loadtests.BitloomProcess;
import io.bitloom.loadtests.process.CoordinatorProcess;
import io.bitloom.loadtests.process.FakeWorkerProcess;
import io.bitloom.v1.Job;
import io.bitloom.v1.Prompt;
import io.bitloom.v1.ReadResultsResponse;
import io.bitloom.v1.WatchJobResponse;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Clients in the middle of every kind of call, and a coordinator that goes in every way and comes
 * back at another port behind a proxy.
 */
class CoordinatorEndsIT {

  private static final Duration PATIENCE = Duration.ofMinutes(3);
  private static final String NO_WORKER = "\"obstacle\":\"no worker is connected\"";
  private static final String AWAY =
      "\"obstacle\":\"the coordinator does not answer, trying again\"";

  @TempDir Path folder;

  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final List<BitloomProcess> commands = new ArrayList<>();
  private final AtomicLong watched = new AtomicLong();
  private final AtomicInteger appends = new AtomicInteger();
  private final AtomicInteger questions = new AtomicInteger();
  private volatile boolean ending;
  private int started;
  private FlakyProxy proxy;
  private CoordinatorProcess coordinator;
  private BitloomClient client;

  @BeforeEach
  void start() throws Exception {
    proxy = new FlakyProxy(0);
    startCoordinator();
    client = BitloomClient.builder(proxy.target()).build();
    FakeWorkerProcess announcer = startWorker();
    await("a model", () -> !client.listModels().isEmpty());
    announcer.kill();
    await(
        "the worker's leaving",
        () -> client.listModels().stream().allMatch(model -> model.getWorkers() == 0));
  }

  @AfterEach
  void stop() throws Exception {
    ending = true;
    commands.forEach(BitloomProcess::close);
    client.close();
    coordinator.close();
    proxy.close();
    threads.shutdownNow();
  }

  @Test
  void everyCallOutlivesTheCoordinatorHoweverItGoes() throws Exception {
    Job job = client.createJob(Job.getDefaultInstance(), "followed");
    append(job, 0, 3);
    Future<Long> watch = threads.submit(() -> watch(job));
    Future<List<Long>> results = threads.submit(() -> results(job));
    Future<Integer> appending = threads.submit(this::appendUntilTheEnd);
    Future<Integer> asking = threads.submit(this::askUntilTheEnd);
    command("watch", "watch", job.getName());
    command("results", "results", job.getName(), "--out=results", "--follow");
    Files.write(folder.resolve("prompts.txt"), List.of("a cat", "a dog"));
    command("submit", "submit", "prompts.txt", "--size=0.06M", "--out=submitted");
    for (BitloomProcess command : commands) {
      await(NO_WORKER, () -> command.out().contains(NO_WORKER));
    }

    proxy.cutAll();
    allGoOn(job, 4);

    coordinator.terminate();
    for (BitloomProcess command : commands) {
      await(AWAY, () -> command.out().contains(AWAY));
    }
    startCoordinator();
    allGoOn(job, 5);

    coordinator.kill();
    startCoordinator();
    allGoOn(job, 6);

    client.seal(job.getName(), 6);
    try (FakeWorkerProcess worker = startWorker()) {
      for (BitloomProcess command : commands) {
        assertEquals(0, command.exitCode(), command::said);
      }
      assertEquals(6, watch.get(PATIENCE.toSeconds(), TimeUnit.SECONDS));
      assertEquals(
          LongStream.range(0, 6).boxed().toList(),
          results.get(PATIENCE.toSeconds(), TimeUnit.SECONDS).stream().sorted().toList());
    }
    ending = true;
    appending.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    asking.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
  }

  private void startCoordinator() throws Exception {
    coordinator =
        CoordinatorProcess.start(
            folder,
            "coordinator-" + started++,
            0,
            List.of("--drain-timeout=1s", "--reconnect-grace=1s", "--no-fsync-results"));
    coordinator.awaitReady();
    proxy.redirect(coordinator.grpcPort());
  }

  private FakeWorkerProcess startWorker() throws IOException {
    return FakeWorkerProcess.start(
        folder, "worker-" + started++, List.of("--coordinator=" + proxy.target()));
  }

  private void command(String name, String... words) throws IOException {
    List<String> all = new ArrayList<>(List.of(words));
    all.add("--json");
    all.add("--coordinator=" + proxy.target());
    commands.add(BitloomProcess.start(folder, name, all));
  }

  /** Every kind of call is answered again. */
  private void allGoOn(Job job, int prompts) throws Exception {
    int appendsBefore = appends.get();
    int questionsBefore = questions.get();
    append(job, prompts - 1, 1);
    await("the watch", () -> watched.get() == prompts);
    await("appending", () -> appends.get() > appendsBefore + 1);
    await("answers", () -> questions.get() > questionsBefore + 1);
    for (BitloomProcess command : commands) {
      assertTrue(command.isAlive(), command::said);
    }
  }

  private long append(Job job, long offset, int count) {
    return client.append(
        job.getName(),
        offset,
        IntStream.range(0, count).mapToObj(this::prompt).iterator(),
        n -> {});
  }

  private Prompt prompt(int number) {
    return Prompt.newBuilder().setPrompt("picture " + number).setSize("0.06M").build();
  }

  private long watch(Job job) {
    try (ResumingStream<WatchJobResponse> events = client.watch(job.getName())) {
      events.forEachRemaining(event -> watched.set(event.getJob().getCounts().getAppended()));
    }
    return client.getJob(job.getName()).getCounts().getSucceeded();
  }

  private List<Long> results(Job job) {
    List<Long> offsets = new ArrayList<>();
    try (ResumingStream<ReadResultsResponse> results = client.followResults(job.getName(), "")) {
      results.forEachRemaining(result -> offsets.add(result.getResult().getOffset()));
    }
    return offsets;
  }

  private int appendUntilTheEnd() {
    Job job = client.createJob(Job.getDefaultInstance(), "appended");
    for (long offset = 0; !ending; ) {
      offset = append(job, offset, 20);
      appends.incrementAndGet();
    }
    client.cancel(job.getName());
    return appends.get();
  }

  private int askUntilTheEnd() {
    while (!ending) {
      client.listJobs(List.of(), "").hasNext();
      client.cluster();
      client.estimate(
          Job.getDefaultInstance(), () -> IntStream.range(0, 20).mapToObj(this::prompt));
      questions.incrementAndGet();
    }
    return questions.get();
  }

  private void await(String what, Callable<Boolean> condition) throws Exception {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.call()) {
      if (System.nanoTime() > end) {
        StringBuilder said = new StringBuilder("waited for " + what);
        commands.forEach(command -> said.append("\n----\n").append(command.said()));
        throw new AssertionError(said);
      }
      Thread.sleep(20);
    }
  }
}
