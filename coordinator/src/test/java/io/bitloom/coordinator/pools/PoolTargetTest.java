package io.bitloom.coordinator.pools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.coordinator.queue.Bucket;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PoolTargetTest {

  private static PoolTarget target(Map<String, String> metadata) {
    return PoolTarget.of("metadata", metadata);
  }

  @Test
  void withoutMetadataThePoolIsTheDefaultOneAndEmptyInHalfAnHour() {
    PoolTarget target = target(Map.of());
    assertEquals("default", target.pool());
    assertEquals(Duration.ofMinutes(30), target.emptyIn());
    assertEquals(Duration.ofMinutes(5), target.nodeStart());
    assertEquals(Duration.ofSeconds(60), target.idle());
    assertEquals(1000, target.most());
    assertEquals(0, target.pricePerGpuHour());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "emptyIn|soon|must be a duration",
        "emptyIn|6m|must be more than nodeStart (5m) and 90s",
        "emptyIn|8d|must be a duration",
        "nodeStart|-1s|must be a duration",
        "idle|1|must be a duration",
        "sizes|0.06M,2M|must be some of",
        "models|a*b|must be names",
        "models|a,,b|must be names",
        "maxWorkers|1.5|must be a whole number from 1 to 100000",
        "maxWorkers|0|must be a whole number",
        "pricePerGpuHour|free|must be a number from 0",
        "pricePerGpuHour|NaN|must be a number from 0",
        "pool|' '|must be a name",
        "emptyin|30m|is not known; there is emptyIn"
      })
  void whatIsWrongIsNamed(String key, String value, String complaint) {
    BitloomException error = assertThrows(BitloomException.class, () -> target(Map.of(key, value)));
    assertEquals(ErrorCode.INVALID_FIELD, error.code());
    assertEquals("metadata." + key, error.violations().get(0).field());
    assertTrue(error.violations().get(0).message().contains(complaint), error.getMessage());
  }

  @Test
  void aPoolTakesWhatItsWorkersHaveUnlessItsModelsAreNamed() {
    Bucket small = new Bucket("demo", "1.0_0.06M");
    assertTrue(target(Map.of()).takes(small, Set.of("demo", "other")));
    assertFalse(target(Map.of()).takes(small, Set.of("other")));
    assertTrue(target(Map.of()).takes(small, Set.of()));
    assertTrue(target(Map.of("models", "other, de*")).takes(small, Set.of("other")));
    assertFalse(target(Map.of("models", "other")).takes(small, Set.of("demo")));
  }

  @Test
  void sizesRestrictAPool() {
    PoolTarget large = target(Map.of("sizes", "0.60M, 1M"));
    assertTrue(large.takes(new Bucket("demo", "1.0_1M"), Set.of()));
    assertFalse(large.takes(new Bucket("demo", "1.0_0.06M"), Set.of()));
    assertFalse(large.takes(new Bucket("demo", "no schedule"), Set.of()));
  }

  @Test
  void whatIsRememberedIsOfOneTargetAlone() {
    assertEquals(target(Map.of("models", "a,b")).id(), target(Map.of("models", "b, a")).id());
    assertNotEquals(target(Map.of()).id(), target(Map.of("emptyIn", "20m")).id());
    assertNotEquals(target(Map.of("pool", "a:b")).id(), target(Map.of("pool", "a")).id());
  }

  @Test
  void aStandingIsReadAsItWasKept() {
    PoolStanding standing = new PoolStanding("gpu", 1, 2.5, true, 3, 4, 5, 6, true, 7.5);
    assertEquals(standing, PoolStanding.parse(standing.toBytes()).orElseThrow());
  }

  @Test
  void whatIsNoStandingIsNotTakenForOne() {
    assertTrue(PoolStanding.parse(com.google.protobuf.ByteString.EMPTY).isEmpty());
    assertTrue(
        PoolStanding.parse(com.google.protobuf.ByteString.copyFromUtf8("{\"at\":\"x\"}"))
            .isEmpty());
  }
}
