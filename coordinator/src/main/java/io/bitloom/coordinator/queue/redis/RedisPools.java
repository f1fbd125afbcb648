package io.bitloom.coordinator.queue.redis;

import com.google.protobuf.ByteString;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.coordinator.queue.PoolRecords;
import io.bitloom.coordinator.redis.RedisConnection;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;

/** The list of pools that are scaled. */
public final class RedisPools implements PoolRecords {

  /** Each is asked for by somebody who may; this is a bound for mistakes. */
  private static final int MOST = 1000;

  private static final long ONLY_READ = -1;

  private final IndexCalls redis;
  private final Keys keys;

  public RedisPools(RedisConnection redis, Keys keys) {
    this.redis = new IndexCalls(redis, keys);
    this.keys = keys;
  }

  @Override
  public CompletionStage<Kept> read(String id) {
    return run(id, ONLY_READ, ByteString.EMPTY, Duration.ZERO);
  }

  @Override
  public CompletionStage<Kept> replace(
      String id, long version, ByteString record, Duration duration) {
    return run(id, version, record, duration);
  }

  private CompletionStage<Kept> run(String id, long version, ByteString record, Duration duration) {
    Arguments arguments = new Arguments().add(id).add(version).add(duration).add(MOST).add(record);
    return redis
        .run(Script.POOL, new String[] {keys.pools()}, arguments)
        .thenApply(
            reply -> {
              Instant now = Instant.ofEpochMilli(reply.nextLong());
              long kept = reply.nextLong();
              if (kept < 0) {
                throw new BitloomException(
                    ErrorCode.LIMIT_EXCEEDED, MOST + " pools are scaled already");
              }
              return new Kept(now, kept, reply.nextBytes());
            });
  }

  @Override
  public CompletionStage<List<ByteString>> since(Duration age) {
    return redis
        .run(Script.POOLS, new String[] {keys.pools()}, new Arguments().add(age))
        .thenApply(
            reply -> {
              List<ByteString> records = new ArrayList<>();
              while (reply.hasNext()) {
                records.add(reply.nextBytes());
              }
              return records;
            });
  }
}
