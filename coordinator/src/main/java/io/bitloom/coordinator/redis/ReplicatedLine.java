package io.bitloom.coordinator.redis;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.output.IntegerOutput;
import io.lettuce.core.protocol.AsyncCommand;
import io.lettuce.core.protocol.Command;
import io.lettuce.core.protocol.CommandArgs;
import io.lettuce.core.protocol.CommandType;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A connection to a master that must not be made anew: {@code WAIT} is about what was written over
 * the very connection by which it comes, and on another one it would say yes to anything.
 *
 * <p>One {@code WAIT} is under way at a time. A connection's replies come in the order in which
 * Redis has worked, so whatever is answered before a {@code WAIT} is, was written before it.
 */
final class ReplicatedLine {

  private static final Logger LOG = LoggerFactory.getLogger(ReplicatedLine.class);

  /** What is sent meanwhile has to wait, and still be answered in time: half of that time. */
  private static final Duration PATIENCE = Duration.ofSeconds(1);

  private final String master;
  private final StatefulRedisConnection<String, byte[]> connection;
  private final int replicas;
  private final Runnable shortage;

  // Guarded by this.
  private CompletableFuture<Void> underWay;
  private boolean enough = true;

  /**
   * @param master where it is, in words
   * @param replicas that must have what is written
   * @param shortage is told when too few have it, or enough again
   */
  ReplicatedLine(
      String master,
      StatefulRedisConnection<String, byte[]> connection,
      int replicas,
      Runnable shortage) {
    this.master = master;
    this.connection = connection;
    this.replicas = replicas;
    this.shortage = shortage;
  }

  boolean isOpen() {
    return connection.isOpen();
  }

  void close() {
    connection.closeAsync();
  }

  /** Runs a script, and waits until enough replicas have what it wrote. */
  CompletionStage<List<Object>> run(RedisScript script, String[] keys, byte[]... args) {
    return script
        .run(connection.async(), keys, args)
        .thenCompose(reply -> replicated().thenApply(done -> reply));
  }

  private CompletionStage<Void> replicated() {
    CompletableFuture<Void> wait;
    synchronized (this) {
      if (underWay != null) {
        return underWay;
      }
      wait = new CompletableFuture<>();
      underWay = wait;
    }
    AsyncCommand<String, byte[], Long> command = command();
    // Before it is sent: whatever is answered after it has to find it answered.
    command.whenComplete((have, e) -> answered(wait, have, e));
    connection.dispatch(command);
    return wait;
  }

  private AsyncCommand<String, byte[], Long> command() {
    CommandArgs<String, byte[]> arguments =
        new CommandArgs<>(RedisConnection.CODEC).add(replicas).add(PATIENCE.toMillis());
    return new AsyncCommand<>(
        new Command<>(CommandType.WAIT, new IntegerOutput<>(RedisConnection.CODEC), arguments));
  }

  private void answered(CompletableFuture<Void> wait, Long have, Throwable e) {
    boolean now = e == null && have >= replicas;
    boolean changed;
    synchronized (this) {
      underWay = null;
      changed = now != enough;
      enough = now;
    }
    if (changed) {
      tell(now);
    }
    if (now) {
      wait.complete(null);
    } else if (e == null || RedisErrors.cause(e) instanceof RedisCommandExecutionException) {
      wait.completeExceptionally(
          tooFew(e == null ? Long.toString(have) : "nobody knows how many", e));
    } else {
      wait.completeExceptionally(e);
    }
  }

  private void tell(boolean now) {
    if (now) {
      LOG.info("Redis at {}: {} replicas have what is written again", master, replicas);
    } else {
      LOG.warn(
          "Redis at {}: fewer than {} replicas have what is written, so it is not acknowledged",
          master,
          replicas);
    }
    shortage.run();
  }

  /** Not a loss of Redis: other calls work. */
  private BitloomException tooFew(String have, Throwable cause) {
    return new BitloomException(
        ErrorCode.QUEUE_UNAVAILABLE,
        String.format(
            Locale.ROOT,
            "%s of %d replicas have what this call wrote, which may be lost: repeat it",
            have,
            replicas),
        cause);
  }
}
