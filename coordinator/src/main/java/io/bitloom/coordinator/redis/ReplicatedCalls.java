package io.bitloom.coordinator.redis;

import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.RedisException;
import io.lettuce.core.RedisURI;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Scripts whose replies acknowledge something, which is done when replicas have what they wrote.
 * They have connections of their own, one for each master that they were sent to: on a connection
 * that waits for replicas, Redis looks at nothing else, and leases and reads are not to wait.
 */
final class ReplicatedCalls implements AutoCloseable {

  private static final String MOVED = "MOVED ";

  private final RedisClient client;
  private final Masters masters;
  private final int replicas;
  private final Runnable shortage;

  /** By master. Guarded by this. */
  private final Map<RedisURI, CompletableFuture<ReplicatedLine>> lines = new HashMap<>();

  /**
   * @param client closed with this; its connections must not reconnect
   * @param replicas that must have what is written
   * @param shortage is told when too few have it, or enough again
   */
  ReplicatedCalls(RedisClient client, Masters masters, int replicas, Runnable shortage) {
    this.client = client;
    this.masters = masters;
    this.replicas = replicas;
    this.shortage = shortage;
  }

  /**
   * Runs a script at the server of its first key, also if that is another one by now. Fails with
   * {@code QUEUE_UNAVAILABLE} if too few replicas have what it wrote.
   */
  CompletionStage<List<Object>> run(RedisScript script, String[] keys, byte[]... args) {
    return runWhereItIsKnown(script, keys, args)
        .exceptionallyCompose(
            e ->
                hasMoved(e)
                    ? masters
                        .lookAgain()
                        .thenCompose(known -> runWhereItIsKnown(script, keys, args))
                    : CompletableFuture.failedStage(e));
  }

  private CompletionStage<List<Object>> runWhereItIsKnown(
      RedisScript script, String[] keys, byte[]... args) {
    try {
      return line(masters.of(keys[0])).thenCompose(line -> line.run(script, keys, args));
    } catch (RedisException e) {
      return CompletableFuture.failedStage(e);
    }
  }

  /** Nothing was done then, so that the call can be repeated. */
  private static boolean hasMoved(Throwable thrown) {
    Throwable e = RedisErrors.cause(thrown);
    return e instanceof RedisCommandExecutionException
        && String.valueOf(e.getMessage()).startsWith(MOVED);
  }

  private synchronized CompletableFuture<ReplicatedLine> line(RedisURI master) {
    CompletableFuture<ReplicatedLine> line = lines.get(master);
    if (line != null && !isBroken(line)) {
      return line;
    }
    if (line != null) {
      line.thenAccept(ReplicatedLine::close);
    }
    CompletableFuture<ReplicatedLine> another = connect(master);
    lines.put(master, another);
    return another;
  }

  private static boolean isBroken(CompletableFuture<ReplicatedLine> line) {
    return line.isCompletedExceptionally() || (line.isDone() && !line.join().isOpen());
  }

  private CompletableFuture<ReplicatedLine> connect(RedisURI master) {
    return client
        .connectAsync(RedisConnection.CODEC, master)
        .toCompletableFuture()
        .thenApply(
            connection -> new ReplicatedLine(masters.name(master), connection, replicas, shortage));
  }

  @Override
  public void close() {
    ClientEnd.of(client);
  }
}
