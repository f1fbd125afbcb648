package io.bitloom.coordinator.queue.redis;

import com.google.protobuf.ByteString;
import io.bitloom.coordinator.queue.RegistryRecords;
import io.bitloom.coordinator.redis.RedisConnection;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/** The records of the model registry. */
public final class RedisRegistry implements RegistryRecords {

  private final IndexCalls redis;
  private final Keys keys;

  public RedisRegistry(RedisConnection redis, Keys keys) {
    this.redis = new IndexCalls(redis, keys);
    this.keys = keys;
  }

  private String key(Kind kind) {
    return switch (kind) {
      case MODELS -> keys.registeredModels();
      case MANIFESTS -> keys.manifests();
      case POOLS -> keys.wantedModels();
    };
  }

  @Override
  public CompletionStage<Map<String, ByteString>> all(Kind kind) {
    return redis
        .call(r -> r.hgetall(key(kind)))
        .thenApply(
            records -> {
              Map<String, ByteString> byName = new HashMap<>();
              records.forEach((name, value) -> byName.put(name, ByteString.copyFrom(value)));
              return byName;
            });
  }

  @Override
  public CompletionStage<Optional<ByteString>> get(Kind kind, String name) {
    return redis
        .call(r -> r.hget(key(kind), name))
        .thenApply(value -> Optional.ofNullable(value).map(ByteString::copyFrom));
  }

  @Override
  public CompletionStage<Boolean> revise(
      Kind kind, String name, ByteString before, ByteString after) {
    return redis
        .run(
            Script.REVISE,
            new String[] {key(kind)},
            new Arguments().add(name).add(before).add(after))
        .thenApply(Reply::nextFlag);
  }
}
