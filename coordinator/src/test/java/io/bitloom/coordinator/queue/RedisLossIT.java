package io.bitloom.coordinator.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.coordinator.redis.EmbeddedRedis;
import io.bitloom.coordinator.redis.RedisConnection;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What happens when Redis dies or hangs; needs a server of its own. */
class RedisLossIT extends QueueFixture {

  @TempDir static Path directory;

  private EmbeddedRedis server;

  @Override
  String uri() {
    try {
      server = EmbeddedRedis.start(directory);
      return server.uri();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @AfterEach
  void stopServer() {
    server.close();
  }

  @Test
  void nothingAcknowledgedIsLostWhenRedisIsKilledInTheMiddleOfAJob() throws InterruptedException {
    String jobId = newJob();
    append(jobId, 0, 200, SQUARE, TALL);
    succeed(lease(SQUARE, 30));
    LeasedBatch held = lease(TALL, 30);
    JobRecord before = job(jobId);

    kill();
    awaitTrue("back", () -> redis.available() && answers());
    assertEquals(before, job(jobId));
    assertEquals(30, succeed(held).stream().filter(v -> v == TaskVerdict.COMMITTED).count());
    append(jobId, 200, 50, SQUARE, TALL);
    await(queue.jobs().seal(jobId, OptionalLong.of(250)));
    drain(jobId, SQUARE, TALL);

    assertEquals(new JobRecord.Counts(250, 0, 0, 250, 0, 0, 0), job(jobId).counts());
    assertEquals(250, results(jobId).stream().map(ResultRecord::offset).distinct().count());
  }

  @Test
  void appendsThatWereAcknowledgedWhileRedisWasKilledAreAllThere() throws InterruptedException {
    String jobId = newJob();
    List<java.util.concurrent.CompletableFuture<Long>> appends = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      appends.add(
          queue
              .prompts()
              .append(jobId, i * 10L, java.util.Collections.nCopies(10, prompt()))
              .toCompletableFuture());
      if (i == 100) {
        appends.get(0).join();
        kill();
      }
    }
    long acknowledged =
        appends.stream().mapToLong(append -> append.exceptionally(e -> 0L).join()).max().orElse(0);
    awaitTrue("back", this::answers);

    long appended = job(jobId).counts().appended();
    assertTrue(acknowledged >= 10 && appended >= acknowledged, acknowledged + ", " + appended);
    append(jobId, appended, 10, SQUARE);
    await(queue.jobs().seal(jobId, OptionalLong.of(appended + 10)));
    drain(jobId, SQUARE);
    assertEquals(appended + 10, results(jobId).size());
  }

  @Test
  void coordinatorsAreWokenAfterRedisIsBack() throws InterruptedException {
    kill();
    awaitTrue("back", () -> redis.available() && answers());
    sealedJob(1, SQUARE);

    awaitTrue("ready", () -> queue.ready().buckets().contains(SQUARE));
  }

  @Test
  void whileRedisHangsCallsFailFastAndReadinessTurnsFalse() throws Exception {
    String jobId = newJob();
    signal("-STOP");
    try {
      awaitTrue("loss noticed", () -> !redis.available());
      for (int i = 0; i < 10; i++) {
        assertUnavailable(jobId);
      }
    } finally {
      signal("-CONT");
    }
    awaitTrue("available again", () -> redis.available() && answers());
    assertEquals(0, job(jobId).counts().appended());
  }

  /** What a loss is noticed by is a ping that is not answered in time. */
  @Test
  void aLossIsNoticedWithinFiveSeconds() {
    assertTrue(RedisConnection.LOSS_NOTICED_WITHIN.toSeconds() < 5);
  }

  @Test
  void connectingToNothingFailsWithAClearError() {
    BitloomException error =
        assertThrows(
            BitloomException.class, () -> RedisConnection.connect("redis://127.0.0.1:1", "test"));
    assertEquals(ErrorCode.QUEUE_UNAVAILABLE, error.code());
    assertTrue(error.getMessage().contains("127.0.0.1:1"));
    assertEquals(
        ErrorCode.INVALID_FIELD,
        assertThrows(BitloomException.class, () -> RedisConnection.connect("nonsense", "test"))
            .code());
  }

  private void assertUnavailable(String jobId) {
    assertEquals(
        ErrorCode.QUEUE_UNAVAILABLE, assertThrows(BitloomException.class, () -> job(jobId)).code());
  }

  private static NewPrompt prompt() {
    return new NewPrompt(SQUARE, 1, bytes("p"));
  }

  private boolean answers() {
    try {
      await(queue.models().all());
      return true;
    } catch (BitloomException e) {
      return false;
    }
  }

  private void kill() throws InterruptedException {
    ProcessHandle process = server.process().orElseThrow();
    process.destroyForcibly();
    awaitTrue("loss noticed", () -> !redis.available());
    assertFalse(redis.available());
  }

  private void signal(String signal) throws IOException, InterruptedException {
    long pid = server.process().orElseThrow().pid();
    new ProcessBuilder("kill", signal, Long.toString(pid)).inheritIO().start().waitFor();
  }
}
