package io.bitloom.coordinator.redis;

import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.api.async.RedisServerAsyncCommands;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * What a Redis server says of itself. What this user may not ask is missing.
 *
 * @param node where it is
 * @param info fields of INFO
 * @param config parameters of CONFIG GET
 */
record RedisServerReport(String node, Map<String, String> info, Map<String, String> config) {

  private static final List<String> PARAMETERS =
      List.of("maxmemory", "maxmemory-policy", "appendonly", "appendfsync", "save");

  static CompletionStage<RedisServerReport> ask(
      String node, RedisServerAsyncCommands<String, byte[]> redis) {
    CompletionStage<Map<String, String>> info =
        ifAllowed(redis.info().thenApply(RedisServerReport::fields));
    CompletionStage<Map<String, String>> all = CompletableFuture.completedStage(Map.of());
    for (String parameter : PARAMETERS) {
      all = all.thenCombine(ifAllowed(redis.configGet(parameter)), RedisServerReport::both);
    }
    return info.thenCombine(
        all, (fields, parameters) -> new RedisServerReport(node, fields, parameters));
  }

  private static Map<String, String> both(Map<String, String> some, Map<String, String> others) {
    Map<String, String> all = new HashMap<>(some);
    all.putAll(others);
    return all;
  }

  /** The lines {@code name:value} of an answer. */
  static Map<String, String> fields(String answer) {
    Map<String, String> fields = new HashMap<>();
    answer
        .lines()
        .filter(line -> !line.startsWith("#") && line.contains(":"))
        .forEach(
            line -> {
              int colon = line.indexOf(':');
              fields.put(line.substring(0, colon), line.substring(colon + 1).strip());
            });
    return fields;
  }

  private static CompletionStage<Map<String, String>> ifAllowed(
      CompletionStage<Map<String, String>> answer) {
    return answer.exceptionallyCompose(
        e ->
            RedisErrors.cause(e) instanceof RedisCommandExecutionException && !RedisErrors.isLoss(e)
                ? CompletableFuture.completedStage(Map.of())
                : CompletableFuture.failedStage(e));
  }

  /** A field of INFO. */
  Optional<String> field(String name) {
    return Optional.ofNullable(info.get(name));
  }

  /** A parameter, by INFO or by CONFIG, whichever may be asked. */
  Optional<String> parameter(String name) {
    return Optional.ofNullable(config.get(name)).or(() -> field(name.replace('-', '_')));
  }
}
