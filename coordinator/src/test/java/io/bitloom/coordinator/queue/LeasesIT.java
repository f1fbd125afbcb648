package io.bitloom.coordinator.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.secret.Secret;
import io.bitloom.coordinator.queue.redis.Keys;
import io.bitloom.coordinator.queue.upkeep.RunningQueue;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class LeasesIT extends QueueFixture {

  @Test
  void aBatchIsLimitedByImagesNotByPrompts() {
    String jobId = newJob();
    List<NewPrompt> prompts = new ArrayList<>();
    for (int images : new int[] {4, 4, 1, 16, 3}) {
      prompts.add(new NewPrompt(SQUARE, images, bytes("p")));
    }
    await(queue.prompts().append(jobId, 0, prompts));

    assertEquals(List.of(0L, 1L), offsets(lease(SQUARE, 8)));
    assertEquals(List.of(2L), offsets(lease(SQUARE, 8)));
    LeasedBatch tooBigForTheWorker = lease(SQUARE, 8);
    assertEquals(List.of(3L), offsets(tooBigForTheWorker));
    assertEquals(16, tooBigForTheWorker.images());
    assertEquals(List.of(4L), offsets(lease(SQUARE, 8)));
  }

  @Test
  void promptsOfOtherBucketsAreNotTouched() {
    sealedJob(4, SQUARE, TALL);

    assertEquals(List.of(1L, 3L), offsets(lease(TALL, 16)));
    assertEquals(Optional.empty(), tryLease(TALL, 16));
    assertEquals(2, backlog(SQUARE).prompts());
  }

  @Test
  void aBatchMayHoldPromptsOfSeveralJobs() {
    String first = sealedJob(2, SQUARE);
    String second = sealedJob(2, SQUARE);

    LeasedBatch batch = lease(SQUARE, 16);
    assertEquals(4, batch.tasks().size());
    succeed(batch);
    assertTrue(job(first).terminal() && job(second).terminal());
  }

  @Test
  void aThousandPromptsOfManySizesComeOutOnceEach() {
    String jobId = newJob();
    for (int offset = 0, size = 1; offset < 1000; offset += size, size = size * 3 % 101 + 1) {
      append(jobId, offset, Math.min(size, 1000 - offset), SQUARE);
    }
    List<Long> leased = new ArrayList<>();
    for (int size = 1; ; size = size * 5 % 37 + 1) {
      Optional<LeasedBatch> batch = tryLease(SQUARE, size);
      if (batch.isEmpty()) {
        break;
      }
      leased.addAll(offsets(batch.get()));
    }
    assertEquals(LongStream.range(0, 1000).boxed().toList(), leased);
  }

  @Test
  void outcomesMayComeOneByOneAndInAnyOrder() throws InterruptedException {
    String jobId = sealedJob(3, SQUARE);
    LeasedBatch batch = lease(SQUARE, 3);

    for (int i : new int[] {2, 0, 1}) {
      assertEquals(
          List.of(TaskVerdict.COMMITTED),
          await(queue.leases().commit(batch.lease(), List.of(successes(batch).get(i)))));
    }
    assertEquals(List.of(2L, 0L, 1L), results(jobId).stream().map(ResultRecord::offset).toList());
    queue.leases().finished(batch.lease());
    awaitTrue("no lease left", () -> backlog(SQUARE).leases() == 0);
  }

  @Test
  void theFirstOutcomeStaysWhateverComesLater() {
    String jobId = sealedJob(1, SQUARE);
    LeasedBatch batch = lease(SQUARE, 1);
    succeed(batch);

    assertEquals(List.of(TaskVerdict.SUPERSEDED), succeed(batch));
    assertEquals(List.of(TaskVerdict.SUPERSEDED), fail(batch));
    assertEquals(
        List.of(TaskVerdict.SUPERSEDED),
        await(
            queue
                .leases()
                .commit(
                    batch.lease(),
                    List.of(new TaskOutcome(batch.tasks().get(0).task(), false, bytes("late"))))));
    assertEquals(1, results(jobId).size());
    assertEquals(new JobRecord.Counts(1, 0, 0, 1, 0, 0, 0), job(jobId).counts());
  }

  @Test
  void anOutcomeNamedTwiceInOneCallCountsOnce() {
    String jobId = sealedJob(1, SQUARE);
    LeasedBatch batch = lease(SQUARE, 1);
    TaskOutcome outcome = successes(batch).get(0);

    assertEquals(
        List.of(TaskVerdict.COMMITTED, TaskVerdict.SUPERSEDED),
        await(queue.leases().commit(batch.lease(), List.of(outcome, outcome))));
    assertEquals(1, job(jobId).counts().succeeded());
  }

  @Test
  void aLeaseThatWasLostCannotCommitAndTheLaterOneCan() throws InterruptedException {
    String jobId = sealedJob(2, SQUARE);
    LeasedBatch lost = lease(SQUARE, 2);
    await(queue.leases().expire(lost.lease()));

    assertEquals(List.of(TaskVerdict.SUPERSEDED, TaskVerdict.SUPERSEDED), succeed(lost));
    LeasedBatch later = leaseWhenDue(2);
    assertTrue(later.lease().token() > lost.lease().token());
    assertEquals(List.of(TaskVerdict.SUPERSEDED, TaskVerdict.SUPERSEDED), succeed(lost));
    assertEquals(2, later.tasks().get(0).attempt());
    assertEquals(List.of(TaskVerdict.COMMITTED, TaskVerdict.COMMITTED), succeed(later));
    assertEquals(2, results(jobId).get(0).attempt());
    assertEquals(new JobRecord.Counts(2, 0, 0, 2, 0, 0, 2), job(jobId).counts());
  }

  @Test
  void aForgedOutcomeOfAPromptThatWasNeverLeasedIsDropped() {
    String jobId = sealedJob(2, SQUARE);
    LeasedBatch mine = lease(SQUARE, 1);
    TaskOutcome forged = new TaskOutcome(new TaskRef(jobId, 1), true, bytes("forged"));
    TaskOutcome beyond = new TaskOutcome(new TaskRef(jobId, 99), true, bytes("forged"));
    TaskOutcome elsewhere = new TaskOutcome(new TaskRef("no job", 0), true, bytes("forged"));

    assertEquals(
        List.of(TaskVerdict.SUPERSEDED, TaskVerdict.SUPERSEDED, TaskVerdict.SUPERSEDED),
        await(queue.leases().commit(mine.lease(), List.of(forged, beyond, elsewhere))));
    assertEquals(List.of(1L), offsets(lease(SQUARE, 1)));
  }

  @Test
  void releasedPromptsGoNextAndKeepTheirAttempt() {
    String jobId = sealedJob(6, SQUARE);
    LeasedBatch batch = lease(SQUARE, 4);
    await(
        queue
            .leases()
            .release(
                batch.lease(),
                batch.tasks().subList(1, 4).stream().map(LeasedTask::task).toList()));

    assertEquals(new JobRecord.Counts(6, 5, 1, 0, 0, 0, 0), job(jobId).counts());
    LeasedBatch next = lease(SQUARE, 16);
    assertEquals(List.of(1L, 2L, 3L, 4L, 5L), offsets(next));
    assertTrue(next.tasks().stream().allMatch(task -> task.attempt() == 1));
  }

  @Test
  void aLeaseLivesAsLongAsItsOwnWorkerRenewsIt() {
    sealedJob(2, SQUARE);
    LeaseRef mine = lease(SQUARE, 1).lease();
    LeaseRef done = lease(SQUARE, 1).lease();
    await(queue.leases().expire(done));

    LeaseRef never = new LeaseRef(TALL, 7, Secret.draw());
    assertEquals(
        Set.of(done, never),
        await(queue.leases().renew("worker", List.of(mine, done, never), LEASE)));
    assertEquals(Set.of(mine), await(queue.leases().renew("somebody else", List.of(mine), LEASE)));
  }

  @Test
  void whoDoesNotKnowItsSecretNamesNoLease() {
    String jobId = sealedJob(2, SQUARE);
    LeasedBatch batch = lease(SQUARE, 2);
    LeasedBatch forged = withSecret(batch, Secret.draw());
    assertEquals(
        Set.of(forged.lease()),
        await(queue.leases().renew("worker", List.of(forged.lease()), Duration.ofHours(1))));
    assertEquals(Map.of(), claim("worker", forged));
    assertEquals(List.of(TaskVerdict.SUPERSEDED, TaskVerdict.SUPERSEDED), succeed(forged));
    assertEquals(List.of(TaskVerdict.SUPERSEDED, TaskVerdict.SUPERSEDED), fail(forged));
    await(
        queue
            .leases()
            .release(forged.lease(), batch.tasks().stream().map(LeasedTask::task).toList()));
    await(queue.leases().expire(forged.lease()));

    assertEquals(List.of(), results(jobId));
    assertEquals(new JobRecord.Counts(2, 0, 2, 0, 0, 0, 0), job(jobId).counts());
    assertEquals(List.of(TaskVerdict.COMMITTED, TaskVerdict.COMMITTED), succeed(batch));
  }

  @Test
  void whoBringsALeaseAlongIsToldWhatItHolds() {
    String jobId = sealedJob(2, SQUARE);
    LeasedBatch batch = lease(SQUARE, 2);
    TaskRef first = batch.tasks().get(0).task();
    TaskRef second = batch.tasks().get(1).task();
    sealedJob(1, SQUARE);
    LeasedBatch none = lease(SQUARE, 1);
    await(queue.leases().release(none.lease(), List.of(none.tasks().get(0).task())));
    assertEquals(Map.of(batch.lease(), Set.of(first, second)), claim("worker", batch, none));
    assertEquals(Map.of(), claim("somebody else", batch));
    await(queue.leases().fail(batch.lease(), List.of(new TaskFailure(first, bytes("broken")))));
    assertEquals(Map.of(batch.lease(), Set.of(second)), claim("worker", batch));
    assertEquals(1, job(jobId).counts().retried());
  }

  private Map<LeaseRef, Set<TaskRef>> claim(String worker, LeasedBatch... batches) {
    List<LeaseRef> leases = Stream.of(batches).map(LeasedBatch::lease).toList();
    return await(queue.leases().claim(worker, leases, LEASE));
  }

  private static LeasedBatch withSecret(LeasedBatch batch, Secret secret) {
    LeaseRef lease = batch.lease();
    return new LeasedBatch(new LeaseRef(lease.bucket(), lease.token(), secret), batch.tasks());
  }

  @Test
  void aLeaseFromBeforeThereWereSecretsExpires() throws InterruptedException {
    String jobId = sealedJob(1, SQUARE);
    LeaseRef lease = lease(SQUARE, 1).lease();
    LeaseRef old = new LeaseRef(SQUARE, lease.token(), Secret.NONE);
    rename(keys.bucket(SQUARE)[6], Keys.name(lease), Keys.name(old));
    rename(keys.job(jobId)[4], Keys.holder(lease), Keys.holder(old));
    byte[] name = Keys.name(old).getBytes(StandardCharsets.UTF_8);
    await(redis.call(r -> r.zadd(keys.bucket(SQUARE)[5], 1, name)));
    try (JobQueue other = new RunningQueue(redis, settings)) {
      awaitTrue("the prompt is back", () -> job(jobId).counts().queued() == 1);
    }
    assertEquals(1, job(jobId).counts().retried());
  }

  private void rename(String hash, String from, String to) {
    byte[] value = await(redis.call(r -> r.hget(hash, from)));
    await(redis.call(r -> r.hset(hash, Map.of(to, value))));
    await(redis.call(r -> r.hdel(hash, from)));
  }

  @Test
  void anExpiredLeaseIsRedeliveredWithoutAnybodyAsking() throws InterruptedException {
    String jobId = sealedJob(3, SQUARE);
    await(queue.leases().lease(SQUARE, "worker that dies", 3, Duration.ofMillis(200)));

    awaitTrue("prompts are back", () -> job(jobId).counts().queued() == 3);
    LeasedBatch again = leaseWhenDue(3);
    assertEquals(3, again.tasks().size());
    assertEquals(2, again.tasks().get(0).attempt());
    assertEquals(3, job(jobId).counts().retried());
  }

  @Test
  void aRenewedLeaseIsNotReaped() throws InterruptedException {
    sealedJob(1, SQUARE);
    LeasedBatch batch = lease(SQUARE, 1);
    double expiry = expiry(batch.lease());
    await(queue.leases().renew("worker", List.of(batch.lease()), LEASE.multipliedBy(100)));
    assertTrue(expiry(batch.lease()) - expiry > 98.0 * LEASE.toMillis());

    String other = sealedJob(1, SQUARE);
    await(queue.leases().lease(SQUARE, "worker that dies", 1, Duration.ofMillis(1)));
    awaitTrue("another one is reaped", () -> job(other).counts().queued() == 1);
    assertEquals(List.of(TaskVerdict.COMMITTED), succeed(batch));
  }

  private double expiry(LeaseRef lease) {
    byte[] name = bytes(Keys.name(lease)).toByteArray();
    return await(redis.call(r -> r.zscore(keys.bucket(lease.bucket())[5], name)));
  }

  @Test
  void aPromptThatKeepsFailingFailsForGoodWithItsLastReason() throws InterruptedException {
    String jobId = sealedJob(1, SQUARE);
    LeasedBatch batch = null;
    for (int attempt = 1; attempt <= 4; attempt++) {
      batch = leaseWhenDue(1);
      assertEquals(attempt, batch.tasks().get(0).attempt());
      assertEquals(List.of(attempt < 4 ? TaskVerdict.RETRIED : TaskVerdict.COMMITTED), fail(batch));
    }
    ResultRecord result = results(jobId).get(0);
    assertEquals(ResultRecord.Status.FAILED, result.status());
    assertEquals(4, result.attempt());
    assertEquals(bytes("broken"), result.body());
    assertEquals(new JobRecord.Counts(1, 0, 0, 0, 1, 0, 3), job(jobId).counts());
    queue.leases().finished(batch.lease());
    awaitTrue("no lease left", () -> backlog(SQUARE).leases() == 0);
  }

  @Test
  void aPromptWhoseWorkersAllDieIsLost() throws InterruptedException {
    String jobId = sealedJob(1, SQUARE);
    for (int attempt = 1; attempt <= 4; attempt++) {
      await(queue.leases().expire(leaseWhenDue(1).lease()));
    }
    ResultRecord result = results(jobId).get(0);
    assertEquals(ResultRecord.Status.LOST, result.status());
    assertEquals(payload(0), result.payload());
    assertEquals(4, result.attempt());
    assertTrue(job(jobId).terminal());
    awaitTrue("no lease left", () -> backlog(SQUARE).leases() == 0);
  }

  @Test
  void onItsSecondFailureAPromptIsRetriedAloneAndFreshPromptsAreNeverMixedWithRetries()
      throws InterruptedException {
    String jobId = newJob();
    append(jobId, 0, 8, SQUARE);
    await(queue.leases().expire(lease(SQUARE, 8).lease()));
    append(jobId, 8, 8, SQUARE);
    Thread.sleep(20);

    LeasedBatch second = lease(SQUARE, 16);
    LeasedBatch fresh = lease(SQUARE, 16);
    assertEquals(
        LongStream.range(0, 8).boxed().toList(), offsets(second).stream().sorted().toList());
    assertEquals(LongStream.range(8, 16).boxed().toList(), offsets(fresh));
    succeed(fresh);
    await(queue.leases().expire(second.lease()));
    await(queue.jobs().seal(jobId, OptionalLong.empty()));

    List<Long> alone = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      LeasedBatch third = leaseWhenDue(16);
      assertEquals(1, third.tasks().size());
      assertEquals(3, third.tasks().get(0).attempt());
      alone.addAll(offsets(third));
      succeed(third);
    }
    assertEquals(LongStream.range(0, 8).boxed().toList(), alone.stream().sorted().toList());
    assertEquals(16, job(jobId).counts().succeeded());
  }

  @Test
  void freshPromptsAndRetriesTakeTurnsSoThatNeitherStarves() throws InterruptedException {
    String jobId = newJob();
    append(jobId, 0, 6, SQUARE);
    LeasedBatch poison = lease(SQUARE, 6);
    await(queue.leases().expire(poison.lease()));
    await(queue.leases().expire(leaseWhenDue(6).lease()));
    append(jobId, 6, 3, SQUARE);
    Thread.sleep(20);

    List<Boolean> fresh =
        IntStream.range(0, 6).mapToObj(i -> offsets(lease(SQUARE, 1)).get(0) >= 6).toList();
    assertEquals(3, fresh.stream().filter(f -> f).count());
    assertTrue(fresh.get(0) != fresh.get(1) && fresh.get(1) != fresh.get(2));
  }

  @Test
  void manyCallsAtOnceLeaseEveryPromptOnce() {
    String jobId = sealedJob(600, SQUARE);
    List<CompletionStage<Optional<LeasedBatch>>> calls =
        IntStream.range(0, 100)
            .mapToObj(i -> queue.leases().lease(SQUARE, "w" + i, 7, LEASE))
            .toList();
    List<LeasedBatch> batches =
        calls.stream().map(QueueFixture::await).flatMap(Optional::stream).toList();

    assertEquals(
        LongStream.range(0, 600).boxed().toList(),
        batches.stream().flatMap(b -> offsets(b).stream()).sorted().toList());
    batches.forEach(this::succeed);
    assertEquals(new JobRecord.Counts(600, 0, 0, 600, 0, 0, 0), job(jobId).counts());
  }

  @Test
  void theIdOfALeaseCanBeReadBack() {
    LeaseRef lease = new LeaseRef(new Bucket("my:model {ü}\n%", "1.000_1M"), 42, Secret.draw());

    assertEquals(lease, LeaseRef.parse(lease.id(), lease.secret()));
    for (String bad : List.of("", "a:b", "a:b:c:1", "a:b:x", "a b:c:1", "a:b%2:1", "a:b%zz:1")) {
      assertThrows(IllegalArgumentException.class, () -> LeaseRef.parse(bad, lease.secret()), bad);
    }
  }

  /** The next batch, when the backoff of its prompts is over. */
  private LeasedBatch leaseWhenDue(int maxImages) throws InterruptedException {
    Thread.sleep(20);
    return lease(SQUARE, maxImages);
  }
}
