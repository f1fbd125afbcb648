package io.bitloom.coordinator.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.bitloom.coordinator.queue.PoolRecords.Kept;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class PoolRecordsIT extends QueueFixture {

  private static final Duration LONG = Duration.ofHours(1);
  private static final ByteString ONE = ByteString.copyFromUtf8("one");
  private static final ByteString TWO = ByteString.copyFromUtf8("two");

  private Kept replace(String id, long version, ByteString record, Duration duration) {
    return await(queue.pools().replace(id, version, record, duration));
  }

  @Test
  void whoeverComesSecondGetsWhatTheFirstHasKept() {
    assertEquals(0, await(queue.pools().read("gpu")).version());
    assertEquals(ONE, replace("gpu", 0, ONE, LONG).record());
    Kept second = replace("gpu", 0, TWO, LONG);
    assertEquals(1, second.version());
    assertEquals(ONE, second.record());
    assertEquals(2, replace("gpu", 1, TWO, LONG).version());
    Kept read = await(queue.pools().read("gpu"));
    assertEquals(TWO, read.record());
    assertTrue(read.now().toEpochMilli() > 0);
    assertEquals(List.of(TWO), await(queue.pools().since(LONG)));
  }

  @Test
  void whatIsNotReplacedInTimeIsForgotten() throws Exception {
    replace("gpu", 0, ONE, Duration.ofMillis(1));
    awaitTrue("forgotten", () -> await(queue.pools().read("gpu")).version() == 0);
    replace("other", 0, TWO, LONG);
    assertEquals(1L, await(redis.call(r -> r.hlen(keys.pools()))).longValue());
    assertEquals(1, replace("gpu", 0, ONE, LONG).version());
  }

  @Test
  void theModelsOfAPoolAreThoseThatItsWorkersHadLast() {
    await(queue.models().putPool("a pool: 1", Set.of("m", "n o")));
    await(queue.models().putPool("b", Set.of("m")));
    await(queue.models().putPool("b", Set.of("n o")));
    assertEquals(
        Map.of("a pool: 1", Set.of("m", "n o"), "b", Set.of("n o")), await(queue.models().pools()));
  }
}
