package io.bitloom.loadtests.chaos;

import io.bitloom.common.results.ImageName;
import io.bitloom.loadtests.process.Distribution;
import io.bitloom.v1.GeneratedImage;
import io.bitloom.v1.Job;
import io.bitloom.v1.PromptResult;
import io.lettuce.core.cluster.api.sync.RedisClusterCommands;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.LongStream;

/**
 * The same submissions twice, first in peace and then while workers, coordinators, connections and
 * Redis are broken at random. Both must come to the same: one outcome for every prompt, the same
 * bytes, counters that are the sum of the outcomes, and no lease left.
 */
public final class ChaosRun {

  /** A job that has no new outcome for this long hangs. Programs start slowly on a busy machine. */
  private static final long STANDSTILL_NANOS = 240_000_000_000L;

  private static final List<TenantPrompts.Tenant> TENANTS =
      List.of(
          new TenantPrompts.Tenant("art", 1, "art-token"),
          new TenantPrompts.Tenant("games", 2, "games-token"),
          new TenantPrompts.Tenant("news", 3, "news-token"));

  private final ChaosPlan plan;
  private final Optional<Distribution> older;
  private final PrintWriter out;
  private final Random pauses;

  /**
   * @param out is told what happens
   */
  public ChaosRun(ChaosPlan plan, PrintWriter out) {
    this(plan, Optional.empty(), out);
  }

  /**
   * @param older the version of the workers and, until the middle of the chaos, of a coordinator
   * @param out is told what happens
   */
  public ChaosRun(ChaosPlan plan, Optional<Distribution> older, PrintWriter out) {
    this.plan = plan;
    this.older = older;
    this.out = out;
    this.pauses = new Random(plan.seed() + 1);
  }

  /**
   * Runs it.
   *
   * @param folder for data and logs
   * @throws AssertionError if anything was lost, doubled or changed
   */
  public void run(Path folder) throws Exception {
    try (ChaosCluster cluster = new ChaosCluster(folder.toRealPath(), plan, older, TENANTS)) {
      Map<String, String> peaceful = round(cluster, "in peace", false);
      require(
          dataVersion(cluster.redis()).isPresent() != older.isPresent(),
          "the data are not of the version of the oldest coordinator");
      Map<String, String> disturbed = round(cluster, "in chaos", true);
      require(peaceful.size() == plan.prompts(), "a prompt has no outcome in peace");
      require(peaceful.equals(disturbed), "outcomes differ: " + difference(peaceful, disturbed));
      awaitNoLeases(cluster.redis());
      awaitUpgrade(cluster.redis());
    }
  }

  private Map<String, String> round(ChaosCluster cluster, String name, boolean chaos)
      throws Exception {
    long start = System.nanoTime();
    ExecutorService threads = Executors.newCachedThreadPool();
    Map<String, String> outcomes = new HashMap<>();
    try {
      List<Future<Map<String, String>>> submissions = new ArrayList<>();
      int left = plan.prompts();
      for (int i = 0; i < TENANTS.size(); i++) {
        int some = left / (TENANTS.size() - i);
        left -= some;
        TenantPrompts prompts = new TenantPrompts(TENANTS.get(i), some);
        submissions.add(threads.submit(() -> outcomes(cluster, prompts, name)));
      }
      if (chaos) {
        makeTrouble(cluster, submissions);
      }
      for (Future<Map<String, String>> submission : submissions) {
        outcomes.putAll(submission.get());
      }
    } finally {
      threads.shutdownNow();
    }
    out.printf(
        Locale.ROOT,
        "%,d prompts %s took %.1f s%n",
        outcomes.size(),
        name,
        (System.nanoTime() - start) / 1e9);
    out.flush();
    return outcomes;
  }

  private void makeTrouble(ChaosCluster cluster, List<Future<Map<String, String>>> submissions)
      throws Exception {
    Map<String, Integer> happened = new TreeMap<>();
    for (int i = 0; i < plan.troubles() && !submissions.stream().allMatch(Future::isDone); i++) {
      Thread.sleep(pauses.nextLong(plan.longestPause().toMillis()));
      if (i == plan.troubles() / 3) {
        cluster.killRedis();
        happened.merge("kill -9 of Redis", 1, Integer::sum);
      } else if (i == plan.troubles() / 2) {
        cluster.replaceCoordinator(0);
        happened.merge("kill -9 of a coordinator", 1, Integer::sum);
      } else {
        happened.merge(cluster.trouble(), 1, Integer::sum);
      }
    }
    out.println("seed " + plan.seed() + ": " + happened);
    out.flush();
  }

  /** Submits, waits for the end, and returns what each prompt came to by its id. */
  private Map<String, String> outcomes(ChaosCluster cluster, TenantPrompts prompts, String name)
      throws Exception {
    try (PatientClient client = new PatientClient(cluster.targets(), prompts.tenant().token())) {
      client.awaitModel();
      String job = client.submit(name + " " + plan.seed(), prompts.all());
      Job ended = awaitEnd(client, job);
      List<PromptResult> results = client.results(job);
      String offsets = results.stream().map(PromptResult::getOffset).sorted().toList().toString();
      require(
          offsets.equals(LongStream.range(0, prompts.count()).boxed().toList().toString()),
          "not one outcome for each prompt: " + offsets);
      long succeeded = results.stream().filter(PromptResult::hasImages).count();
      require(
          ended.getCounts().getSucceeded() == succeeded
              && ended.getCounts().getFailed() == results.size() - succeeded
              && ended.getCounts().getAppended() == results.size()
              && ended.getCounts().getRunning() == 0
              && ended.getCounts().getQueued() == 0
              && ended.getCounts().getCancelled() == 0,
          "counters are not the sum of " + succeeded + " successes: " + ended.getCounts());
      return results.stream()
          .collect(Collectors.toMap(PromptResult::getCustomId, ChaosRun::outcome));
    }
  }

  private static Job awaitEnd(PatientClient client, String name) throws InterruptedException {
    Job before = Job.getDefaultInstance();
    long since = System.nanoTime();
    while (true) {
      Job job = client.job(name);
      if (job.hasEndTime()) {
        return job;
      }
      if (outcomes(job) > outcomes(before)) {
        before = job;
        since = System.nanoTime();
      }
      require(
          System.nanoTime() - since < STANDSTILL_NANOS, "a job stands still: " + job.getCounts());
      Thread.sleep(50);
    }
  }

  private static long outcomes(Job job) {
    return job.getCounts().getSucceeded() + job.getCounts().getFailed();
  }

  private static String outcome(PromptResult result) {
    return result.hasImages()
        ? result.getImages().getImagesList().stream()
            .map(GeneratedImage::getData)
            .map(bytes -> HexFormat.of().formatHex(ImageName.sha256(bytes).toByteArray()))
            .collect(Collectors.joining(" "))
        : result.getFailure().getReason();
  }

  private static String difference(Map<String, String> before, Map<String, String> after) {
    return before.keySet().stream()
        .filter(id -> !before.get(id).equals(after.get(id)))
        .limit(5)
        .map(id -> id + ": " + before.get(id) + " and " + after.get(id))
        .collect(Collectors.joining("; "));
  }

  /** The last ones may have to expire, if a crash came between an outcome and its lease. */
  private static void awaitNoLeases(ChaosRedis redis) throws Exception {
    long end = System.nanoTime() + 20_000_000_000L;
    long left;
    while ((left = redis.ask(ChaosRun::leases)) > 0) {
      require(System.nanoTime() < end, left + " leases are left");
      Thread.sleep(100);
    }
  }

  /** Until the older coordinator was replaced, the data had no version. */
  private static void awaitUpgrade(ChaosRedis redis) throws Exception {
    long end = System.nanoTime() + 60_000_000_000L;
    while (dataVersion(redis).isEmpty()) {
      require(System.nanoTime() < end, "the data are not upgraded");
      Thread.sleep(100);
    }
  }

  private static Optional<String> dataVersion(ChaosRedis redis) throws Exception {
    return redis.ask(known -> Optional.ofNullable(known.get("bitloom:{index}:version")));
  }

  private static long leases(RedisClusterCommands<String, String> redis) {
    long left = 0;
    for (String key : redis.keys("*}:leases")) {
      left += redis.zcard(key);
    }
    for (String pattern : List.of("*}:held", "*}:running", "*}:retry")) {
      for (String key : redis.keys(pattern)) {
        left += pattern.endsWith("retry") ? redis.zcard(key) : redis.hlen(key);
      }
    }
    return left;
  }

  private static void require(boolean holds, String otherwise) {
    if (!holds) {
      throw new AssertionError(otherwise);
    }
  }
}
