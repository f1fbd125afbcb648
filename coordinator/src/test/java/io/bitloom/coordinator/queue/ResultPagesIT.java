package io.bitloom.coordinator.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.bitloom.coordinator.queue.upkeep.RunningQueue;
import io.bitloom.coordinator.redis.RedisConnection;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** Jobs whose outcomes are in several lists, and those of before, which have one. */
class ResultPagesIT extends QueueFixture {

  private static final int PAGE = 4096;

  /** Every seventh fails. */
  private static boolean succeeds(long offset) {
    return offset % 7 != 0;
  }

  private void commit(int some) {
    LeasedBatch batch = lease(SQUARE, some);
    await(
        queue
            .leases()
            .commit(
                batch.lease(),
                batch.tasks().stream()
                    .map(
                        task ->
                            new TaskOutcome(
                                task.task(),
                                succeeds(task.task().offset()),
                                bytes("image of " + task.task().offset())))
                    .toList()));
  }

  private String endedJob(int prompts) {
    String jobId = newJob();
    for (int from = 0; from < prompts; from += 1000) {
      append(jobId, from, Math.min(1000, prompts - from), SQUARE);
    }
    await(queue.jobs().seal(jobId, OptionalLong.of(prompts)));
    for (int done = 0; done < prompts; done += 1000) {
      commit(1000);
    }
    return jobId;
  }

  private long length(String list) {
    return await(redis.call(r -> r.llen(list)));
  }

  private void failuresAreThoseOf(List<ResultRecord> all, String jobId) {
    List<ResultRecord> failed = new ArrayList<>();
    List<ResultRecord> some;
    do {
      some =
          await(queue.results().failures(jobId, Cursor.of(failed.size()), 100)).stream()
              .map(ResultLog.Failed::result)
              .toList();
      failed.addAll(some);
    } while (!some.isEmpty());
    assertEquals(all.stream().filter(result -> !succeeds(result.offset())).toList(), failed);
  }

  private static void areOneForEachPrompt(List<ResultRecord> all, int prompts) {
    assertEquals(LongStream.rangeClosed(1, prompts).boxed().toList(), places(all));
    assertEquals(
        LongStream.range(0, prompts).boxed().toList(),
        all.stream().map(ResultRecord::offset).sorted().toList());
  }

  @Test
  void outcomesAreInListsOfSomeThousandAndReadAsIfTheyWereInOne() {
    int prompts = 2 * PAGE + 1500;
    String jobId = endedJob(prompts);

    assertEquals(PAGE, length(keys.results(jobId, 0)));
    assertEquals(PAGE, length(keys.results(jobId, 1)));
    assertEquals(1500, length(keys.results(jobId, 2)));
    assertEquals(0, length(keys.results(jobId)));
    List<ResultRecord> all = results(jobId);
    areOneForEachPrompt(all, prompts);
    for (int edge : List.of(0, PAGE, 2 * PAGE, prompts)) {
      for (int after = Math.max(0, edge - 3); after <= Math.min(prompts, edge + 3); after++) {
        for (int count : List.of(1, 2, 3, 5, 256)) {
          assertEquals(
              all.subList(after, Math.min(prompts, after + count)),
              await(queue.results().read(jobId, Cursor.of(after), count)),
              "after " + after + ", at most " + count);
        }
      }
    }
    failuresAreThoseOf(all, jobId);
  }

  @Test
  void aCancelledJobHasItsOutcomesInListsToo() {
    int prompts = PAGE + 904;
    String jobId = newJob();
    for (int from = 0; from < prompts; from += 500) {
      append(jobId, from, 500, SQUARE);
    }
    await(queue.jobs().cancel(jobId));
    assertEquals(PAGE, length(keys.results(jobId, 0)));
    assertEquals(904, length(keys.results(jobId, 1)));
    areOneForEachPrompt(results(jobId), prompts);
  }

  @Test
  void aDeletedJobLeavesNoList() throws InterruptedException {
    String jobId = endedJob(PAGE + 1);
    assertEquals(1, length(keys.results(jobId, 1)));
    awaitTrue("deleted", () -> deleted(jobId));
    assertEquals(
        List.of(), await(redis.call(r -> r.keys(settings.namespace() + "*" + jobId + "*"))));
  }

  private boolean deleted(String jobId) {
    await(
        queue
            .jobs()
            .delete(jobId, any -> java.util.concurrent.CompletableFuture.completedStage(null)));
    return true;
  }

  @Test
  void jobsOfVersion1KeepTheirOneListWhenTheDataAreUpgraded() throws InterruptedException {
    queue.close();
    for (String key : await(redis.call(r -> r.keys(settings.namespace() + ":*")))) {
      await(redis.call(r -> r.del(key)));
    }
    String jobId;
    try (RedisConnection before = RedisConnection.connect(uri(), "test")) {
      await(before.channels().subscribe(keys.wakeChannel(1), new DataVersionIT.DeafListener()));
      queue = new RunningQueue(redis, settings);
      jobId = newJob();
      for (int from = 0; from < PAGE + 1000; from += 500) {
        append(jobId, from, Math.min(500, PAGE + 1000 - from), SQUARE);
      }
      commit(1000);
      assertEquals(1000, length(keys.results(jobId)));
    }
    awaitTrue("upgraded", () -> await(redis.call(r -> r.get(keys.dataVersion()))) != null);
    for (int done = 1000; done < PAGE + 1000; done += 1000) {
      commit(1000);
    }
    assertEquals(PAGE + 1000, length(keys.results(jobId)));
    List<ResultRecord> all = results(jobId);
    areOneForEachPrompt(all, PAGE + 1000);
    failuresAreThoseOf(all, jobId);
    await(queue.jobs().seal(jobId, OptionalLong.empty()));

    String later = sealedJob(10, SQUARE);
    commit(10);
    assertEquals(10, length(keys.results(later, 0)));
    awaitTrue("deleted", () -> deleted(jobId));
    assertEquals(
        List.of(), await(redis.call(r -> r.keys(settings.namespace() + "*" + jobId + "*"))));
  }
}
