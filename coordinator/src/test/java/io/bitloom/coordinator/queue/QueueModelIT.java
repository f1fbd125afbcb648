package io.bitloom.coordinator.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/**
 * Drives the scripts by random sequences of calls, with leases that are long gone, repeated reports
 * and cancelled jobs among them, and compares every answer with {@link QueueModel}.
 */
class QueueModelIT extends QueueFixture {

  private static final int SEQUENCES = 25;
  private static final int STEPS = 70;

  @Test
  void theScriptsDoWhatTheModelDoesInEveryOrder() throws InterruptedException {
    long first = Long.getLong("model.seed", 1);
    for (long seed = first; seed < first + SEQUENCES; seed++) {
      Sequence sequence = new Sequence(seed);
      try {
        sequence.run();
      } catch (AssertionError e) {
        throw new AssertionError(
            "with -Dmodel.seed=" + seed + " after " + String.join("; ", sequence.said), e);
      }
    }
  }

  private final class Sequence {

    private final Random chance;
    private final Bucket bucket;
    private final QueueModel model = new QueueModel(settings.maxAttempts());
    private final List<String> jobs = new ArrayList<>();
    private final List<LeaseRef> leases = new ArrayList<>();
    private final List<String> said = new ArrayList<>();

    Sequence(long seed) {
      chance = new Random(seed);
      bucket = new Bucket("model", "sequence-" + seed);
    }

    void run() throws InterruptedException {
      for (int i = 0; i < 3; i++) {
        jobs.add(newJob("tenant " + i % 2, 1 + i, i));
      }
      for (int i = 0; i < STEPS; i++) {
        step();
        compareCounts();
      }
      finish();
    }

    private void step() {
      switch (chance.nextInt(12)) {
        case 0, 1 -> append();
        case 2, 3, 4 -> lease();
        case 5, 6, 7 -> commit();
        case 8 -> fail();
        case 9 -> release();
        case 10 -> expire();
        default -> {
          if (chance.nextInt(4) == 0) {
            cancel();
          }
        }
      }
    }

    private void append() {
      String jobId = jobs.get(chance.nextInt(jobs.size()));
      if (model.cancelled.contains(jobId)) {
        return;
      }
      long offset = job(jobId).counts().appended();
      int count = 1 + chance.nextInt(80);
      say("append " + count + " to " + jobs.indexOf(jobId));
      QueueModelIT.this.append(jobId, offset, count, bucket);
      LongStream.range(offset, offset + count)
          .forEach(at -> model.appended(new TaskRef(jobId, at)));
    }

    private void lease() {
      int most = 1 + chance.nextInt(40);
      say("lease " + most);
      tryLease(bucket, most)
          .ifPresent(
              batch -> {
                leases.add(batch.lease());
                batch.tasks().forEach(task -> assertNull(model.leased(batch.lease(), task)));
              });
    }

    /** Some lease of all that there ever were, and prompts that may be others' by now. */
    private record Report(LeaseRef lease, List<TaskRef> tasks) {}

    private Report report() {
      if (leases.isEmpty()) {
        return new Report(new LeaseRef(bucket, 1_000_000), List.of());
      }
      LeaseRef lease = leases.get(chance.nextInt(leases.size()));
      List<TaskRef> tasks = new ArrayList<>(model.leases.getOrDefault(lease, Set.of()));
      tasks.removeIf(task -> chance.nextInt(4) == 0);
      List<TaskRef> all = List.copyOf(model.prompts.keySet());
      for (int i = chance.nextInt(3); i > 0 && !all.isEmpty(); i--) {
        TaskRef other = all.get(chance.nextInt(all.size()));
        if (!tasks.contains(other)) {
          tasks.add(other);
        }
      }
      Collections.shuffle(tasks, chance);
      return new Report(lease, tasks);
    }

    private void commit() {
      Report report = report();
      boolean succeeded = chance.nextInt(5) > 0;
      say("commit " + report);
      List<TaskVerdict> verdicts =
          await(
              queue.commit(
                  report.lease(),
                  report.tasks().stream()
                      .map(task -> new TaskOutcome(task, succeeded, bytes("outcome of " + task)))
                      .toList()));
      assertEquals(
          report.tasks().stream()
              .map(task -> model.committed(report.lease(), task, succeeded))
              .toList(),
          verdicts);
    }

    private void fail() {
      Report report = report();
      say("fail " + report);
      List<TaskVerdict> verdicts =
          await(
              queue.fail(
                  report.lease(),
                  report.tasks().stream()
                      .map(task -> new TaskFailure(task, bytes("failure of " + task)))
                      .toList()));
      assertEquals(
          report.tasks().stream().map(task -> model.failed(report.lease(), task)).toList(),
          verdicts);
    }

    private void release() {
      Report report = report();
      say("release " + report);
      await(queue.release(report.lease(), report.tasks()));
      report.tasks().forEach(task -> model.released(report.lease(), task));
    }

    private void expire() {
      LeaseRef lease = report().lease();
      say("expire " + lease);
      await(queue.expire(lease));
      model.expired(lease);
    }

    private void cancel() {
      String jobId = jobs.get(chance.nextInt(jobs.size()));
      say("cancel " + jobs.indexOf(jobId));
      await(queue.cancel(jobId));
      model.cancelled(jobId);
    }

    private void say(String what) {
      said.add(what);
    }

    private void compareCounts() {
      for (String jobId : jobs) {
        JobRecord.Counts counts = job(jobId).counts();
        assertEquals(model.count(jobId, QueueModel.State.WAITING), counts.queued(), "queued");
        assertEquals(model.count(jobId, QueueModel.State.HELD), counts.running(), "running");
      }
    }

    /** Ends all leases and draws what is left; then every prompt has the model's outcome. */
    private void finish() throws InterruptedException {
      for (LeaseRef lease : leases) {
        await(queue.expire(lease));
        model.expired(lease);
      }
      for (String jobId : jobs) {
        if (!model.cancelled.contains(jobId)) {
          await(queue.seal(jobId, OptionalLong.empty()));
        }
      }
      awaitTrue(
          "all is decided",
          () -> {
            tryLease(bucket, 64)
                .ifPresent(
                    batch -> {
                      batch.tasks().forEach(task -> assertNull(model.leased(batch.lease(), task)));
                      succeed(batch);
                      batch.tasks().forEach(t -> model.committed(batch.lease(), t.task(), true));
                    });
            return jobs.stream().allMatch(jobId -> job(jobId).terminal());
          });
      for (String jobId : jobs) {
        List<ResultRecord> results = results(jobId);
        assertEquals(
            IntStream.rangeClosed(1, results.size()).mapToObj(i -> (long) i).toList(),
            results.stream().map(ResultRecord::cursor).toList());
        assertEquals(
            model.prompts.entrySet().stream()
                .filter(entry -> entry.getKey().jobId().equals(jobId))
                .collect(
                    Collectors.toMap(
                        entry -> entry.getKey().offset(), entry -> entry.getValue().outcome)),
            results.stream().collect(Collectors.toMap(ResultRecord::offset, ResultRecord::status)));
        results.forEach(result -> assertEquals(payload(result.offset()), result.payload()));
      }
      awaitTrue(
          "nothing is left in the bucket",
          () -> {
            assertEquals(Optional.empty(), tryLease(bucket, 64));
            BucketBacklog backlog = backlog(bucket);
            return backlog.prompts() + backlog.retries() + backlog.leased() + backlog.leases() == 0;
          });
    }
  }
}
