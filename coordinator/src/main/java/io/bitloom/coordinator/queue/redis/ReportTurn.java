package io.bitloom.coordinator.queue.redis;

import io.bitloom.coordinator.redis.RedisConnection;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.CompletionStage;

/** Whose turn it is, among all coordinators, to tell the numbers of the cluster. */
public final class ReportTurn {

  private final RedisConnection redis;
  private final Keys keys;
  private final String here = UUID.randomUUID().toString();

  public ReportTurn(RedisConnection redis, Keys keys) {
    this.redis = redis;
    this.keys = keys;
  }

  CompletionStage<Boolean> take(Duration lasts) {
    return ask(lasts);
  }

  CompletionStage<Void> leave() {
    return ask(Duration.ZERO).thenApply(mine -> null);
  }

  private CompletionStage<Boolean> ask(Duration lasts) {
    Arguments arguments = new Arguments().add(here).add(lasts);
    return redis
        .eval(Script.REPORT.lua(), new String[] {keys.reporter()}, arguments.toArray())
        .thenApply(reply -> new Reply(reply).nextFlag());
  }
}
